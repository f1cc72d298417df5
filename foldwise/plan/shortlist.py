"""Which architectures to try on data like these, the best bets first."""

from foldwise.files.params import AdviseSection, TrainSection
from foldwise.plan.facts import LEAST_EPOCHS, Facts, is_clean, is_like_imagenet, is_little, is_much
from foldwise.plan.ideas import (
    FROZEN,
    GOOGLENET,
    LENET5,
    MOBILENET,
    NARROW_VGG,
    RESNET18,
    RESNET18_SMALL,
    RESNET20,
    RESNET34,
    RESNET50,
    RESNET56,
    SLIM_VGG,
    SMALL_ALEXNET,
    VGG_RESNET,
    Idea,
    finetuned,
    thawed,
    window,
)

MOST = 3  # that are proposed

# From shallow to deep, with the place at which the data of most people begin; with little data
# the first ones are proposed, with much those one step deeper.
LADDERS = {
    "small and clean": ((LENET5, SLIM_VGG, VGG_RESNET, RESNET18_SMALL), 0),
    "small photos": ((SMALL_ALEXNET, NARROW_VGG, RESNET20, RESNET18_SMALL, RESNET56), 1),
    "of medium size": ((SLIM_VGG, NARROW_VGG, RESNET18, GOOGLENET, RESNET34), 1),
    "large": ((NARROW_VGG, RESNET18, GOOGLENET, RESNET34, RESNET50), 1),
}
LAST_RESORT = (MOBILENET, NARROW_VGG, LENET5)  # light, and taken by images of nearly any size


def shortlist(facts: Facts, limits: AdviseSection, train: TrainSection) -> list[Idea]:
    """Return the ideas for these data, the best bets first, each once.

    More than are proposed: what does not fit or would take too long is left out later.

    Args:
        facts: Of the data and the machine.
        limits: The thresholds.
        train: How long and at which rate networks train.
    """
    ladder, usual = LADDERS[kind(facts, limits)]
    deeper = usual + is_much(facts, limits)
    start = 0 if is_little(facts, limits) else deeper
    ideas = [*_transfers(facts, limits, train), *window(ladder, start, MOST), *LAST_RESORT]
    return list({idea.name: idea for idea in ideas}.values())


def kind(facts: Facts, limits: AdviseSection) -> str:
    """Return what sort of images these are, as far as architectures go."""
    if facts.side <= limits.small_side:
        return "small and clean" if is_clean(facts, limits) else "small photos"
    return "of medium size" if facts.side < limits.large_side else "large"


def reasons(facts: Facts, limits: AdviseSection) -> list[str]:
    """Return why these ideas and no others, for all of them together."""
    said = [_WANTED[kind(facts, limits)]]
    if is_like_imagenet(facts, limits):
        said.append(
            f"photos in colour of {limits.transfer_side} px or more resemble ImageNet's: what was "
            "learnt there comes first"
        )
    if is_little(facts, limits):
        said.append(
            f"{facts.n_images:,} images, {facts.per_class:,.0f} a class, are little data: shallow "
            "networks first"
        )
    elif is_much(facts, limits):
        said.append(
            f"{facts.per_class:,.0f} images a class of {facts.n_classes} bear one step deeper"
        )
    return said


_WANTED = {
    "small and clean": "small images that are no photos want fewer than 20 layers",
    "small photos": "small photos want convolutions all the way, and no large linear layers",
    "of medium size": "images of this size are for ResNet18 and for networks about as deep",
    "large": "images of this size are what the networks of ImageNet were made for",
}


def _transfers(facts: Facts, limits: AdviseSection, train: TrainSection) -> list[Idea]:
    """Return networks that start from ImageNet; the fewer the images, the less of them trains.

    Yosinski et al. 2014, How transferable are features in deep neural networks?, NIPS.
    """
    if not is_like_imagenet(facts, limits):
        return []
    ideas = [_part_by_part(facts, limits, train), finetuned(RESNET18, train.learning_rate)]
    if not facts.has_gpu:
        ideas.append(finetuned(MOBILENET, train.learning_rate))
    elif facts.n_images >= limits.deep_from:
        ideas.append(finetuned(RESNET50, train.learning_rate))
    return ideas


def _part_by_part(facts: Facts, limits: AdviseSection, train: TrainSection) -> Idea:
    if facts.n_images < limits.frozen_under or train.epochs < LEAST_EPOCHS:
        return FROZEN  # thawing begins in the second epoch at the earliest
    is_gradual = facts.n_images >= limits.thawed_under
    return thawed(train.epochs, train.learning_rate, gradually=is_gradual)
