"""Which proposals fit into the time budget, and which settings of params.yaml to change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from foldwise.core.errors import counted
from foldwise.data.folds import training_steps
from foldwise.files.forecast import MINUTE, format_duration
from foldwise.files.params import AdviseSection, AugmentSection
from foldwise.plan.proposals import MIN_PROPOSALS, Proposal
from foldwise.plan.rules import (
    MIN_FOLDS,
    MIN_STEPS,
    MORE_DETAIL,
    Facts,
    is_clean,
    is_small_data,
    min_epochs,
)

LIMIT_STEP = 100  # images, to a multiple of which prepare.limit is rounded down
COMPRESSIBLE = 0.3  # share of the bytes; images that compress to less have little detail
COMPRESSIBLE_SIDE = 64  # pixels, half of which are still an image
# For few images. Photos may be mirrored and vary in brightness; drawings and letters may not.
CLEAN_AUGMENTATION = {"shift": 0.1, "rotation": 10.0}
PHOTO_AUGMENTATION = {"shift": 0.1, "flip": 0.5, "brightness": 0.2, "contrast": 0.2}


@dataclass(frozen=True)
class ComparisonSize:
    """How much is trained per architecture."""

    n_images: int
    n_repeats: int
    n_folds: int
    epochs: int
    batch_size: int

    @property
    def n_train(self) -> int:
        """The training images of a fold."""
        return self.n_images - self.n_images // self.n_folds

    @property
    def min_epochs(self) -> int:
        """The number of epochs below which a training has too few steps."""
        return min_epochs(self.n_train, self.batch_size)

    @property
    def n_steps(self) -> int:
        """The steps of a training."""
        return training_steps(self.n_train, self.epochs, self.batch_size)

    def with_enough_epochs(self) -> "ComparisonSize":
        """Return the size with at least as many epochs as needed for the steps."""
        return replace(self, epochs=max(self.epochs, self.min_epochs))


class Setting(NamedTuple):
    """A key of params.yaml to change.

    Attributes:
        key: With dots.
        value: What to write; None: the user decides.
        reason: Why, or what there is to decide.
    """

    key: str
    value: Any
    reason: str

    def __str__(self) -> str:
        value = "" if self.value is None else f": {self.value}"
        return f"{self.key}{value}, {self.reason}"


@dataclass(frozen=True)
class Plan:
    """What to compare, and how much of it.

    Attributes:
        proposals: Two or three.
        size: What params.yaml should say.
        dropped: Proposals that would take too long.
    """

    proposals: list[Proposal]
    size: ComparisonSize
    dropped: list[Proposal]


def fit_budget(proposals: Sequence[Proposal], size: ComparisonSize, limits: AdviseSection) -> Plan:
    """Return what fits into the budget, or the smallest comparison that is worth running.

    Over the budget, the slowest proposal is dropped first, then images, repeats and epochs; but at
    least two proposals, five folds, and the epochs of `ComparisonSize.min_epochs` remain.

    Args:
        proposals: The most promising first.
        size: What params.yaml says.
        limits: The budget, and the number of images below which a comparison says little.
    """
    budget = limits.budget_minutes * MINUTE
    remaining, dropped = list(proposals), []
    size = replace(size, n_folds=max(size.n_folds, MIN_FOLDS)).with_enough_epochs()
    while len(remaining) > MIN_PROPOSALS and total_seconds(remaining, size) > budget:
        slowest = max(remaining, key=lambda proposal: total_seconds([proposal], size))
        remaining.remove(slowest)
        dropped.append(slowest)
    size = _with_fewer_images(remaining, size, budget, limits.little_images).with_enough_epochs()
    while size.n_repeats > 1 and total_seconds(remaining, size) > budget:
        size = replace(size, n_repeats=size.n_repeats - 1)
    while size.epochs > size.min_epochs and total_seconds(remaining, size) > budget:
        size = replace(size, epochs=size.epochs - 1)
    return Plan(remaining, size, dropped)


def total_seconds(proposals: Sequence[Proposal], size: ComparisonSize) -> float:
    """Return the seconds of some proposals together, if nothing is cached."""
    total = 0.0
    for proposal in proposals:
        speed = proposal.throughput
        fold = speed.fold_seconds(size.n_images, size.n_folds, size.epochs)
        total += speed.extract_seconds(size.n_images) + size.n_repeats * size.n_folds * fold
        total += speed.tune_seconds(size.n_images, size.n_folds, size.epochs, size.batch_size)
    return total


def settings_for_budget(
    plan: Plan, current: ComparisonSize, limits: AdviseSection
) -> Iterator[Setting]:
    """Yield the settings to change so that the plan fits into the budget, each with its reason.

    Args:
        plan: What fits.
        current: What params.yaml says.
        limits: The budget.
    """
    size = plan.size
    too_long = "to stay within advise.budget_minutes"
    if size.n_folds > current.n_folds:
        yield Setting("folds", list(range(size.n_folds)), "because fewer say too little")
    if size.epochs > current.epochs:
        steps = replace(size, epochs=current.epochs).n_steps
        reason = f"because {current.epochs} have {counted(steps, 'step')}, under {MIN_STEPS}"
        yield Setting("train.epochs", size.epochs, reason)
    if size.n_images < current.n_images:
        yield Setting("prepare.limit", size.n_images, too_long)
    if size.n_repeats < current.n_repeats:
        yield Setting("repeats", list(range(size.n_repeats)), too_long)
    if size.epochs < current.epochs:
        yield Setting("train.epochs", size.epochs, too_long)
    excess = total_seconds(plan.proposals, size) - limits.budget_minutes * MINUTE
    if excess > 0:
        more = f"the smallest comparison worth running takes {format_duration(excess)} more"
        yield Setting("advise.budget_minutes", None, f"or faster hardware: {more}")


def settings_for_data(
    plan: Plan, facts: Facts, augment: AugmentSection, limits: AdviseSection
) -> Iterator[Setting]:
    """Yield the settings to change because of the data, each with its reason.

    Args:
        plan: What fits into the budget.
        facts: Of the data.
        augment: The augmentation of params.yaml.
        limits: The thresholds.
    """
    if is_small_data(facts, limits):
        recipe = CLEAN_AUGMENTATION if is_clean(facts, limits) else PHOTO_AUGMENTATION
        for key, value in recipe.items():
            if not getattr(augment, key):
                yield Setting(f"augment.{key}", value, "because there are few images")
        # With few images, a single split is luck.
        seconds = total_seconds(plan.proposals, replace(plan.size, n_repeats=2))
        if plan.size.n_repeats == 1 and seconds <= limits.budget_minutes * MINUTE:
            total = format_duration(seconds)
            reason = f"because there are few images; in all about {total}"
            yield Setting("repeats", [0, 1], reason)
    names = [p.candidate.name for p in plan.proposals if "weights" in p.candidate.section]
    if names:
        reason = f"for NAME {' and '.join(names)}: build downloads them; without network, give the"
        key = "build.architectures.NAME.weights"
        yield Setting(key, None, f"{reason} path of a file and weights_sha256, or use lite0_frozen")


def settings_for_size(facts: Facts, enlarged: list[int] | None) -> Iterator[Setting]:
    """Yield what to do about the size of the images, with its reason.

    Args:
        facts: Of the data, as they are prepared now.
        enlarged: Height and width for a pretrained network; None: there is none.
    """
    key, files = "prepare.image_size", f"the shorter side of the files is {facts.file_side} px"
    if enlarged:
        value = enlarged[0] if len({*enlarged}) == 1 else enlarged
        yield Setting(key, value, f"for the pretrained networks; {files}; up to 224 is worth a try")
    elif facts.file_side >= MORE_DETAIL * facts.side:
        yield Setting(key, None, f"a choice: {files}, compared at {facts.side}; try a larger one")
    elif facts.compressed < COMPRESSIBLE and facts.side >= COMPRESSIBLE_SIDE:
        reason = "as the images compress so well that half of the side may show as much"
        yield Setting(key, None, f"a choice: for example {facts.side // 2}, {reason}")


def _with_fewer_images(
    proposals: Sequence[Proposal], size: ComparisonSize, budget: float, minimum: int
) -> ComparisonSize:
    """Return the size with as many images as the budget allows, but at least a minimum."""
    total = total_seconds(proposals, size)
    constant = total_seconds(proposals, replace(size, n_images=0))
    if total <= budget or size.n_images <= minimum:
        return size
    n_images = int(size.n_images * max(budget - constant, 0) / (total - constant))
    return replace(size, n_images=max(n_images // LIMIT_STEP * LIMIT_STEP, minimum))
