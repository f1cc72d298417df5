"""What fits into the time that there is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from stages.advise.params import AdviseSection
from stages.advise.propose import FEWEST, Proposal
from stages.advise.rules import LEAST_EPOCHS, LEAST_FOLDS
from stages.contracts.forecast import MINUTE
from stages.forecast.pace import Pace

ROUND = 100  # images, to which a limit is rounded down


@dataclass(frozen=True)
class Design:
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
    design: Design
    dropped: list[Proposal]


def fit_budget(proposals: Sequence[Proposal], design: Design, limits: AdviseSection) -> Plan:
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


def seconds(proposals: Sequence[Proposal], design: Design) -> float:
    """Return what some proposals take together, from nothing to the last fold."""
    return sum(_seconds(one.pace, design) for one in proposals)


def _seconds(pace: Pace, design: Design) -> float:
    fold = pace.fold_seconds(design.n_images, design.n_folds, design.epochs)
    extract = pace.extract_seconds(design.n_images)
    return extract + design.n_repeats * design.n_folds * fold


def _fewer_images(
    proposals: Sequence[Proposal], design: Design, budget: float, fewest: int
) -> Design:
    """Return the design with as many images as the budget allows, at least a number."""
    total, fixed = seconds(proposals, design), seconds(proposals, replace(design, n_images=0))
    if total <= budget or design.n_images <= fewest:
        return design
    n_images = int(design.n_images * max(budget - fixed, 0) / (total - fixed))
    return replace(design, n_images=max(n_images // ROUND * ROUND, fewest))
