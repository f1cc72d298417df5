"""How sure a mean over folds is, with the variance corrected for folds that share images.

Nadeau and Bengio, "Inference for the generalization error", Machine Learning 52, 2003; for
repeated k-fold cross-validation Bouckaert and Frank, PAKDD 2004. The training sets of two folds
overlap, so the plain standard error of a mean over folds is far too small: with 10 × 10 folds by
a factor of 3.5. The corrected one never falls below s / √(k − 1), however many repeats there are.
"""

import math
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import NamedTuple

from scipy.special import stdtr, stdtrit

DIGITS = 12  # finer than one image of any data set, coarser than the order of a sum


class Sample(NamedTuple):
    """What J values, one a fold, have in common.

    Attributes:
        mean: Of the values: scores, or paired differences of scores.
        std: Of the values, ddof 1; 0 where they differ by rounding alone.
        n: J, at least 2.
        n_folds: k, at least 2: n_test / n_train is 1 / (k − 1).
    """

    mean: float
    std: float
    n: int
    n_folds: int


def independent(scores: Sequence[Sequence[float]], *, resplit: bool) -> list[float]:
    """Return the J values that count as draws of their own.

    With folds of its own each repeat is one more resampling of the data: J = k · repeats. With
    the same folds it is not: what is learnt from other initial weights is averaged first, J = k.

    Args:
        scores: One row a repeat, one value a fold.
        resplit: Whether each repeat has folds of its own.
    """
    if resplit:
        return [score for row in scores for score in row]
    return [fmean(column) for column in zip(*scores, strict=True)]


def sample(values: Sequence[float], n_folds: int) -> Sample:
    """Return mean and spread of J values; their order does not matter."""
    spread = stdev(values)
    return Sample(fmean(values), spread if round(spread, DIGITS) else 0.0, len(values), n_folds)


def inflation(n: int, n_folds: int) -> float:
    """Return √(1/J + n_test/n_train): the standard error, in standard deviations."""
    return math.sqrt(1 / n + 1 / (n_folds - 1))


def standard_error(found: Sample) -> float:
    """Return √((1/J + n_test/n_train) · s²), in the unit of the values."""
    return inflation(found.n, found.n_folds) * found.std


def critical(n: int, confidence: float) -> float:
    """Return the t that a two-sided test of J values needs; J − 1 degrees of freedom."""
    return float(stdtrit(n - 1, (1 + confidence) / 2))


def interval(found: Sample, confidence: float) -> tuple[float, float]:
    """Return the interval of the mean: mean ± t · standard error; without spread the mean twice.

    Args:
        found: J values.
        confidence: Share of such intervals that hold the true mean, 0 .. 1, such as 0.95.

    Returns:
        Low and high, in the unit of the values.
    """
    half = critical(found.n, confidence) * standard_error(found)
    return found.mean - half, found.mean + half


def two_sided(t: float, n: int) -> float:
    """Return the probability of a t at least as far from 0, if the true mean is 0."""
    p: float = 2 * stdtr(n - 1, -abs(t))
    return p
