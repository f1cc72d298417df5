"""How much of the spread of scores is due to the folds, and how much to the initial weights."""

from collections.abc import Sequence
from statistics import fmean, variance

from stages.contracts.comparison import VarianceParts


def parts(scores: Sequence[Sequence[float]]) -> VarianceParts | None:
    """Split the variance of the scores of one architecture; None for a single repeat.

    Repeats of the same folds are a one-way layout with random effects: folds are its groups,
    other initial weights its replicates. The mean variance within folds is the analysis of
    variance's estimate of the part of the initial weights; the rest of the variance of all scores
    is due to the folds. Where folds differ less than initial weights alone would make them, that
    rest is 0 and all is due to the initial weights, which is the maximum of the restricted
    likelihood.

    Args:
        scores: One row a repeat, one value a fold; every repeat of the same folds.

    Returns:
        Two parts that add up to the variance of all scores, ddof 1.
    """
    if len(scores) == 1:
        return None
    total = variance([score for row in scores for score in row])
    within = fmean(variance(column) for column in zip(*scores, strict=True))
    initialisation = min(within, total)
    return VarianceParts(fold=total - initialisation, initialisation=initialisation)
