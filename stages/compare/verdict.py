"""Which architecture to take, and whether these folds tell it from the next best."""

from collections.abc import Iterable, Sequence
from statistics import fmean

import pandas as pd

from stages.compare.corrected import interval
from stages.contracts.comparison import Architecture, Difference

DIGITS = 12  # finer than one image of any data set, coarser than the order of a sum


def rank(architectures: Iterable[Architecture]) -> list[Architecture]:
    """Return the architectures best first: highest mean; the order given does not matter.

    Of equal means (to twelve decimals) the one with the fewest multiply-adds comes first, then
    the one whose name does. Those that failed come last, by name.
    """
    return sorted(architectures, key=_place)


def chosen_and_runner_up(ranked: Sequence[Architecture]) -> tuple[str | None, str | None]:
    """Return the names of the first two that finished; None where there is none."""
    names = [architecture.name for architecture in ranked if architecture.scores is not None]
    first, second, *_ = [*names, None, None]
    return first, second


def difference(
    scores: pd.DataFrame, first: str, second: str, n_folds: int, confidence: float
) -> Difference:
    """Return how much better one architecture is than another, paired by repeat and fold.

    Args:
        scores: The table of SCORES; both architectures finished every fold.
        first: Name of the one.
        second: Name of the other, subtracted.
        n_folds: k.
        confidence: Of the corrected interval, 0 .. 1.
    """
    wide = scores.pivot(index=["repeat", "fold"], columns="model", values="accuracy")
    differences = (wide[first] - wide[second]).tolist()
    low, high = interval(differences, n_folds, confidence)
    return Difference(
        mean=fmean(differences), interval=(low, high), excludes_zero=low > 0 or high < 0
    )


def _place(architecture: Architecture) -> tuple[bool, float, int, str]:
    if architecture.scores is None:
        return True, 0, 0, architecture.name
    mean = round(architecture.scores.mean, DIGITS)
    return False, -mean, architecture.multiply_adds, architecture.name
