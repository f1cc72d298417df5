"""What fits into the time that there is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from foldwise.files.forecast import MINUTE, format_duration
from foldwise.files.params import AdviseSection, AugmentSection
from foldwise.plan.facts import LEAST_EPOCHS, LEAST_FOLDS, Facts, is_clean, is_little
from foldwise.plan.propose import FEWEST, Proposal
from foldwise.plan.throughput import Throughput

ROUND = 100  # images, to which a limit is rounded down


@dataclass(frozen=True)
class ComparisonSize:
    """How much is trained for each architecture."""

    n_images: int
    n_repeats: int
    n_folds: int
    epochs: int


@dataclass(frozen=True)
class Plan:
    """What to compare, and how much of it.

    Attributes:
        proposals: Two or three.
        design: What params.yaml should hold.
        dropped: The proposals that would take too long.
    """

    proposals: list[Proposal]
    design: ComparisonSize
    dropped: list[Proposal]


def fit_budget(
    proposals: Sequence[Proposal], design: ComparisonSize, limits: AdviseSection
) -> Plan:
    """Return what fits into the budget, or the least that is worth comparing.

    Over it the slowest proposal goes, then images, then repeats, then epochs; never one of the
    last two proposals, a fold of five, or an epoch of two.

    Args:
        proposals: The best bets first.
        design: What params.yaml holds.
        limits: The budget, and the number of images that are not worth comparing on.
    """
    budget = limits.budget_minutes * MINUTE
    kept, dropped = list(proposals), []
    design = replace(
        design,
        n_folds=max(design.n_folds, LEAST_FOLDS),
        epochs=max(design.epochs, LEAST_EPOCHS),
    )
    while len(kept) > FEWEST and seconds(kept, design) > budget:
        slowest = max(kept, key=lambda one: seconds([one], design))
        kept.remove(slowest)
        dropped.append(slowest)
    design = _fewer_images(kept, design, budget, limits.little_images)
    while design.n_repeats > 1 and seconds(kept, design) > budget:
        design = replace(design, n_repeats=design.n_repeats - 1)
    while design.epochs > LEAST_EPOCHS and seconds(kept, design) > budget:
        design = replace(design, epochs=design.epochs - 1)
    return Plan(kept, design, dropped)


def seconds(proposals: Sequence[Proposal], design: ComparisonSize) -> float:
    """Return what some proposals take together, from nothing to the last fold."""
    return sum(_seconds(one.pace, design) for one in proposals)


def _seconds(pace: Throughput, design: ComparisonSize) -> float:
    fold = pace.fold_seconds(design.n_images, design.n_folds, design.epochs)
    extract = pace.extract_seconds(design.n_images)
    return extract + design.n_repeats * design.n_folds * fold


def _fewer_images(
    proposals: Sequence[Proposal], design: ComparisonSize, budget: float, fewest: int
) -> ComparisonSize:
    """Return the design with as many images as the budget allows, at least a number."""
    total, fixed = seconds(proposals, design), seconds(proposals, replace(design, n_images=0))
    if total <= budget or design.n_images <= fewest:
        return design
    n_images = int(design.n_images * max(budget - fixed, 0) / (total - fixed))
    return replace(design, n_images=max(n_images // ROUND * ROUND, fewest))


SIMPLE = 0.3  # of the bytes; images that compress to less hold little for their size
SIMPLE_SIDE = 64  # pixels, of which half is still an image
# For little data; photos are mirrored and lit in many ways, drawings and letters are not.
CLEAN_RECIPE = {"shift": 0.1, "rotation": 10.0}
PHOTO_RECIPE = {"shift": 0.1, "flip": 0.5, "brightness": 0.2, "contrast": 0.2}


def within_budget(plan: Plan, given: ComparisonSize, limits: AdviseSection) -> Iterator[str]:
    """Yield what must change for the time that the plan takes.

    Args:
        plan: What fits into the budget.
        given: What params.yaml holds.
        limits: The budget.
    """
    design = plan.design
    if design.n_folds > given.n_folds:
        yield f"folds: {list(range(design.n_folds))}, since fewer say too little"
    if design.epochs > given.epochs:
        yield f"train.epochs: {design.epochs}, since fewer say too little"
    if design.n_images < given.n_images:
        yield f"prepare.limit: {design.n_images}, to stay within advise.budget_minutes"
    if design.n_repeats < given.n_repeats:
        yield f"repeats: {list(range(design.n_repeats))}, to stay within advise.budget_minutes"
    if design.epochs < given.epochs:
        yield f"train.epochs: {design.epochs}, to stay within advise.budget_minutes"
    excess = seconds(plan.proposals, design) - limits.budget_minutes * MINUTE
    if excess > 0:
        yield (
            f"advise.budget_minutes, or other hardware: the least that says anything takes "
            f"{format_duration(excess)} more"
        )


def for_data(
    plan: Plan, facts: Facts, augment: AugmentSection, limits: AdviseSection
) -> Iterator[str]:
    """Yield what the data call for beside architectures.

    Args:
        plan: What fits into the budget.
        facts: Of the data.
        augment: What is set already.
        limits: The thresholds.
    """
    if is_little(facts, limits):
        recipe = CLEAN_RECIPE if is_clean(facts, limits) else PHOTO_RECIPE
        for key, value in recipe.items():
            if not getattr(augment, key):
                yield f"augment.{key}: {value:g}, since data are little"
        yield from _repeats(plan, limits)
    if facts.compressed < SIMPLE and facts.side >= SIMPLE_SIDE:
        yield (
            f"prepare.image_size: {facts.side // 2}, since the images compress so well that half "
            "of the side may hold as much"
        )


def _repeats(plan: Plan, limits: AdviseSection) -> Iterator[str]:
    """Yield a second repeat, if there is time for it: with few images one split is luck."""
    twice = replace(plan.design, n_repeats=2)
    total = seconds(plan.proposals, twice)
    if plan.design.n_repeats == 1 and total <= limits.budget_minutes * MINUTE:
        yield f"repeats: [0, 1], since data are little; in all about {format_duration(total)}"
