"""How sure a mean over folds is, with the variance corrected for folds that share images.

Nadeau and Bengio, "Inference for the generalization error", Machine Learning 52, 2003; for
repeated k-fold cross-validation Bouckaert and Frank, PAKDD 2004. The training sets of two folds
overlap, so the plain standard error of a mean over folds is far too small: with 10 × 10 folds by
a factor of 3.5. The corrected one never falls below s / √(k − 1), however many repeats there are.
"""

import math
from collections.abc import Sequence
from statistics import fmean, variance

from scipy.special import stdtrit


def standard_error(scores: Sequence[float], n_folds: int) -> float:
    """Return √((1/J + n_test/n_train) · s²), where n_test/n_train is 1/(k − 1).

    Args:
        scores: J = k · repeats values, one a fold: scores, or paired differences of scores.
        n_folds: k, at least 2.

    Returns:
        In the unit of the scores; 0 where all are equal.
    """
    return math.sqrt((1 / len(scores) + 1 / (n_folds - 1)) * variance(scores))


def interval(scores: Sequence[float], n_folds: int, confidence: float) -> tuple[float, float]:
    """Return the interval of the mean: mean ± t · standard error, J − 1 degrees of freedom.

    Equal scores give the mean twice. Neither the order of the scores nor another interval's
    confidence moves the centre.

    Args:
        scores: J = k · repeats values, one a fold: scores, or paired differences of scores.
        n_folds: k, at least 2.
        confidence: Share of such intervals that hold the true mean, 0 .. 1, such as 0.95.

    Returns:
        Low and high, in the unit of the scores.
    """
    quantile = float(stdtrit(len(scores) - 1, (1 + confidence) / 2))
    half = quantile * standard_error(scores, n_folds)
    mean = fmean(scores)
    return mean - half, mean + half
