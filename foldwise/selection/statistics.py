"""The corrected resampled t-test: intervals, p-values, ROPE probabilities, Holm, and power.

The training sets of two folds share images, so the plain standard error of a mean over folds is
too small: with 10 × 10 folds by a factor of 3.5. The corrected standard error of Nadeau and Bengio
("Inference for the generalization error", Machine Learning 52, 2003; for repeated k-fold
cross-validation Bouckaert and Frank, PAKDD 2004) never falls below s / √(k − 1), however many
repeats there are.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from statistics import fmean, stdev, variance
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaincinv, ndtr, stdtr, stdtrit

from foldwise.files.comparison import Detectable, VarianceParts

DIGITS = 12  # decimals: finer than one image of any data set, coarser than rounding errors
POWER = 0.8  # the usual choice when a study is planned
MANY_REPEATS = 10  # the reference design of `Detectable`
MAX_REPEATS = 100  # `repeats_needed` does not look further
# Gauss-Legendre quadrature on −1 .. 1
NODES, WEIGHTS = np.polynomial.legendre.leggauss(200)

ScoreMatrix = Sequence[Sequence[float]]  # (repeats, folds)


class Sample(NamedTuple):
    """Mean and standard deviation of J values from cross-validation.

    Attributes:
        mean: Mean of scores, or of paired differences of scores.
        std: Standard deviation, ddof 1; 0 if the values differ by rounding errors only.
        n: J, at least 2.
        n_folds: k, at least 2; n_test / n_train is 1 / (k − 1).
        floor: Smallest standard error that the number of images allows; 0 if unknown.
    """

    mean: float
    std: float
    n: int
    n_folds: int
    floor: float = 0.0


def resampled_values(scores: ScoreMatrix, *, resplit: bool) -> list[float]:
    """Return the J values that count as separate resamples of the data.

    If each repeat has new folds, every score counts: J = k · repeats. If the repeats share their
    folds, they only vary the initial weights, so the scores of a fold are averaged first: J = k.

    Args:
        scores: ScoreMatrix or paired differences.
        resplit: Whether each repeat has new folds.
    """
    if resplit:
        return [score for row in scores for score in row]
    return [fmean(column) for column in zip(*scores, strict=True)]


def sample(values: Sequence[float], n_folds: int, floor: float = 0.0) -> Sample:
    """Return mean and standard deviation of J values; their order does not matter."""
    std = stdev(values)
    return Sample(fmean(values), std if round(std, DIGITS) else 0.0, len(values), n_folds, floor)


def error_factor(n: int, n_folds: int) -> float:
    """Return √(1/J + n_test/n_train), the corrected standard error in standard deviations."""
    return math.sqrt(1 / n + 1 / (n_folds - 1))


def standard_error(values: Sample) -> float:
    """Return the standard error of the mean: √((1/J + n_test/n_train) · s²), at least the floor."""
    return max(error_factor(values.n, values.n_folds) * values.std, values.floor)


def critical_t(n: int, confidence: float) -> float:
    """Return the critical value of the two-sided t-test with n − 1 degrees of freedom."""
    return float(stdtrit(n - 1, (1 + confidence) / 2))


def two_sided_p(t: float, n: int) -> float:
    """Return the two-sided p-value of t with n − 1 degrees of freedom."""
    p: float = 2 * stdtr(n - 1, -abs(t))
    return p


def confidence_interval(values: Sample, confidence: float) -> tuple[float, float]:
    """Return the corrected confidence interval of the mean; without standard error, the mean twice.

    Args:
        values: Summary of J values.
        confidence: Confidence level, for example 0.95.

    Returns:
        Low and high end, in the unit of the values.
    """
    half = critical_t(values.n, confidence) * standard_error(values)
    return values.mean - half, values.mean + half


def t_test(values: Sample) -> tuple[float | None, float]:
    """Test whether the true mean is 0, by the corrected resampled t-test.

    Returns:
        t and the two-sided p-value. Without standard error, t is None, and p is 0, or 1 if the
        mean is 0.
    """
    error = standard_error(values)
    if not error:
        return None, 0.0 if round(values.mean, DIGITS) else 1.0
    t = values.mean / error
    return t, float(two_sided_p(t, values.n))


def rope_probabilities(values: Sample, rope: float) -> tuple[float, float, float]:
    """Return where the true mean is, by the Bayesian correlated t-test (Corani and Benavoli 2015).

    Args:
        values: Summary of J paired differences.
        rope: The region of practical equivalence (ROPE) is −rope .. rope.

    Returns:
        Posterior probabilities that the true mean is below, within and above the ROPE. They add
        up to 1. Without standard error, one of them is 1.
    """
    scale = standard_error(values)
    if not scale:
        mean = round(values.mean, DIGITS)
        return float(mean < -rope), float(abs(mean) <= rope), float(mean > rope)
    below = float(stdtr(values.n - 1, (-rope - values.mean) / scale))
    above = float(stdtr(values.n - 1, (values.mean - rope) / scale))
    return below, max(0.0, 1 - (below + above)), above


def expected_shortfall(values: Sample) -> float:
    """Return E[max(0, D)] of the true mean difference D, by the Bayesian correlated t-test.

    The posterior of D is that of `rope_probabilities`: Student with n − 1 degrees of freedom. With
    one degree of freedom (two values) the expectation is infinite, so D counts as 1 at most: no
    two accuracies differ by more. Log losses do, so the result is never less than the mean.

    Args:
        values: Summary of J paired differences, best − other.
    """
    mean, scale, degrees = values.mean, standard_error(values), values.n - 1
    if not scale:
        return max(0.0, mean)
    if degrees == 1:
        integral = _arctan_integral(mean, scale) - _arctan_integral(mean - 1, scale)
        return max(mean, 0.5 + integral / math.pi)
    z = mean / scale
    log_density = (
        math.lgamma((degrees + 1) / 2)
        - math.lgamma(degrees / 2)
        - math.log(degrees * math.pi) / 2
        - (degrees + 1) / 2 * math.log1p(z * z / degrees)
    )
    tail = (degrees + z * z) / (degrees - 1) * math.exp(log_density)
    return max(0.0, mean * float(stdtr(degrees, z)) + scale * tail)


def _arctan_integral(x: float, scale: float) -> float:
    """Return the integral of arctan(u / scale) over u from 0 to x, plus a constant."""
    return x * math.atan(x / scale) - scale * math.log(math.hypot(scale, x))


def holm(p_values: Sequence[float], n_unseen: int = 0) -> list[float]:
    """Return p-values adjusted for multiple testing by the method of Holm.

    The family-wise error rate holds, also for tests that depend on each other.

    Args:
        p_values: Of the tests.
        n_unseen: Further tests of the same family, of which no p-value is known; they count as not
            significant, which is the conservative choice.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    n = len(p_values) + n_unseen
    scaled = [(n - rank) * p_values[test] for rank, test in enumerate(order)]
    adjusted = dict(zip(order, accumulate(scaled, max), strict=True))
    return [min(1.0, adjusted[test]) for test in range(len(p_values))]


def holm_levels(p_values: Sequence[float], alpha: float, n_unseen: int = 0) -> list[float]:
    """Return the p-value up to which each test is significant, the others being as they are.

    It is alpha / (n − r), where Holm's method rejects r of the other tests.

    Args:
        p_values: Of the tests.
        alpha: Family-wise error rate.
        n_unseen: Further tests of the same family, as in `holm`.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    n = len(p_values) + n_unseen
    n_rejected = sum(p <= alpha for p in holm(p_values, n_unseen))
    levels, stop = {}, len(order)  # rank of the next test that fails without this one before it
    for rank, test in reversed([*enumerate(order)]):
        levels[test] = alpha / (n - min(n_rejected, stop - 1))
        if (n - rank + 1) * p_values[test] > alpha:
            stop = rank
    return [levels[test] for test in range(len(p_values))]


def variance_parts(scores: ScoreMatrix) -> VarianceParts | None:
    """Split the variance of the scores of one architecture; None for a single repeat.

    Repeats of the same folds are a one-way layout with random effects: folds are the groups,
    initial weights the replicates. The mean variance within folds is the ANOVA estimate of the
    part of the initial weights; the rest is due to the folds. If folds differ less than initial
    weights alone would make them, the rest is 0 (restricted maximum likelihood).

    Args:
        scores: ScoreMatrix of repeats that share their folds.

    Returns:
        Two parts that add up to the variance of all scores, ddof 1.
    """
    if len(scores) == 1:
        return None
    total = variance([score for row in scores for score in row])
    within = fmean(variance(column) for column in zip(*scores, strict=True))
    initialisation = min(within, total)
    return VarianceParts(fold=total - initialisation, initialisation=initialisation)


def detectable_difference(
    n_repeats: int, n_folds: int, confidence: float, *, resplit: bool
) -> Detectable:
    """Return the smallest difference that a design can detect, and that of ten repeats.

    Args:
        n_repeats: Repeats of all folds.
        n_folds: k.
        confidence: Confidence level of the two-sided tests.
        resplit: Whether each repeat has new folds; otherwise the repeats count as one.
    """
    n = n_folds * (n_repeats if resplit else 1)
    significant = smallest_significant(n, n_folds, confidence)
    many = smallest_significant(MANY_REPEATS * n_folds, n_folds, confidence)
    repeats = "once" if n_repeats == 1 else f"{n_repeats} times"
    averaged = "" if resplit or n_repeats == 1 else " with the same splits, averaged,"
    return Detectable(
        significant=significant,
        minimum_detectable_effect=smallest_detectable(n, n_folds, confidence),
        with_ten_repeats=many,
        text=(
            f"In a single pair, {n_folds} folds {repeats}{averaged} can detect differences of "
            f"about {significant:.1f} standard deviations of the paired differences; ten repeats, "
            f"{many:.1f}."
        ),
    )


def smallest_significant(n: int, n_folds: int, confidence: float) -> float:
    """Return the smallest significant mean difference, in standard deviations."""
    return critical_t(n, confidence) * error_factor(n, n_folds)


def power(effect: float, n: int, n_folds: int, confidence: float) -> float:
    """Return the probability that a true difference is significant, by the noncentral t.

    Exact for normal scores whose correlation is 1/k between any two folds. For a given sample
    standard deviation t is normal, and this is integrated over the standard deviation: SciPy's
    distribution function of the noncentral t is NaN for few folds and high confidence.

    Args:
        effect: The true difference, in standard deviations of the paired differences.
        n: J.
        n_folds: k.
        confidence: Confidence level of the two-sided test.
    """
    std = np.sqrt(2 * gammaincinv((n - 1) / 2, (NODES + 1) / 2) / (n - 1))  # the true one is 1
    t, shift = critical_t(n, confidence) * std, effect / error_factor(n, n_folds)
    # Not by BLAS, whose sums differ between kinds of CPUs.
    return math.fsum(WEIGHTS * (ndtr(shift - t) + ndtr(-shift - t))) / 2


def smallest_detectable(n: int, n_folds: int, confidence: float) -> float:
    """Return the smallest true difference that is significant with a power of 80 %."""
    upper = 2 * smallest_significant(n, n_folds, confidence)
    while power(upper, n, n_folds, confidence) < POWER:
        upper *= 2
    return float(brentq(lambda d: power(d, n, n_folds, confidence) - POWER, 0, upper))


def repeats_needed(effect: float, n_folds: int, confidence: float, at_least: int = 1) -> int | None:
    """Return the smallest number of repeats that detects a true difference with a power of 80 %.

    None if no number does: repeats share their images, so the standard error never falls below
    s / √(k − 1).

    Args:
        effect: The true difference, in standard deviations of the paired differences.
        n_folds: k, of each repeat.
        confidence: Confidence level of the two-sided test.
        at_least: The smallest number to return.
    """
    counts = range(at_least, MAX_REPEATS + 1)
    more = bisect_left(counts, POWER, key=lambda n: power(effect, n * n_folds, n_folds, confidence))
    return counts[more] if more < len(counts) else None
