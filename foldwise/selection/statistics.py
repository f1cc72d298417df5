"""How sure a mean over folds is, with the variance corrected for folds that share images.

Nadeau and Bengio, "Inference for the generalization error", Machine Learning 52, 2003; for
repeated k-fold cross-validation Bouckaert and Frank, PAKDD 2004. The training sets of two folds
overlap, so the plain standard error of a mean over folds is far too small: with 10 × 10 folds by
a factor of 3.5. The corrected one never falls below s / √(k − 1), however many repeats there are.
"""

import math
from collections.abc import Sequence
from itertools import accumulate
from statistics import fmean, stdev, variance
from typing import NamedTuple

from scipy.special import stdtr, stdtrit

from foldwise.files.comparison import VarianceParts

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


class Odds(NamedTuple):
    """Where the true mean is; the three add up to 1.

    Attributes:
        below: Probability that it is below −rope.
        within: That it is practically 0.
        above: That it is above rope.
    """

    below: float
    within: float
    above: float


def rope_probabilities(found: Sample, rope: float) -> Odds:
    """Return how probable it is that the true mean is below, within and above the ROPE.

    Without spread one of the three is sure.

    Args:
        found: J paired differences.
        rope: Region of practical equivalence: −rope .. rope, in their unit.
    """
    scale = standard_error(found)
    if not scale:
        mean = round(found.mean, DIGITS)
        return Odds(float(mean < -rope), float(abs(mean) <= rope), float(mean > rope))
    below = float(stdtr(found.n - 1, (-rope - found.mean) / scale))
    above = float(stdtr(found.n - 1, (found.mean - rope) / scale))
    return Odds(below, max(0.0, 1 - (below + above)), above)


def holm(p: Sequence[float]) -> list[float]:
    """Return each p-value so that the chance of any false alarm stays below the level of one test.

    The smallest of m counts m times, the next m − 1 times, and so on; none falls below one before
    it. The tests may depend on each other.

    Args:
        p: Of each test, 0 .. 1.
    """
    order = sorted(range(len(p)), key=p.__getitem__)
    counted = [(len(p) - place) * p[test] for place, test in enumerate(order)]
    adjusted = dict(zip(order, accumulate(counted, max), strict=True))
    return [min(1.0, adjusted[test]) for test in range(len(p))]


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
