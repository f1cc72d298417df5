"""Which differences a design can tell from none, in standard deviations of the differences."""

from bisect import bisect_left

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaincinv, ndtr

from foldwise.files.comparison import Detectable
from foldwise.selection.statistics import critical, inflation

POWER = 0.8  # what a study is commonly planned for
MANY = 10  # repeats, for comparison
MOST = 100  # repeats that are thought of at all
NODES, WEIGHTS = np.polynomial.legendre.leggauss(200)  # on −1 .. 1


def detectable(n_repeats: int, n_folds: int, confidence: float, *, resplit: bool) -> Detectable:
    """Return what a design can tell, and what it could with ten repeats.

    Args:
        n_repeats: Of all folds.
        n_folds: k.
        confidence: Of the two-sided tests.
        resplit: Whether each repeat has folds of its own; otherwise they count as one.
    """
    n = n_folds * (n_repeats if resplit else 1)
    now, many = (significant(j, n_folds, confidence) for j in (n, MANY * n_folds))
    times = "once" if n_repeats == 1 else f"{n_repeats} times"
    own = "" if resplit or n_repeats == 1 else " with the same splits, averaged,"
    return Detectable(
        significant=now,
        found=smallest_found(n, n_folds, confidence),
        power=POWER,
        with_ten_repeats=many,
        text=(
            f"{n_folds} folds {times}{own} can tell differences of about {now:.1f} standard "
            f"deviations of the paired differences; ten repeats, {many:.1f}."
        ),
    )


def significant(n: int, n_folds: int, confidence: float) -> float:
    """Return the smallest mean difference that is significant."""
    return critical(n, confidence) * inflation(n, n_folds)


def power(effect: float, n: int, n_folds: int, confidence: float) -> float:
    """Return how often a true difference is found significant, by the noncentral t.

    Exact for normal scores whose correlation is 1/k between any two folds. Given the spread that
    was found, t is normal; over the spread it is integrated here, since scipy's distribution
    function of the noncentral t is NaN where few folds meet a high confidence.

    Args:
        effect: The true difference, in standard deviations of the paired differences.
        n: J.
        n_folds: k.
        confidence: Of the two-sided test.
    """
    spread = np.sqrt(2 * gammaincinv((n - 1) / 2, (NODES + 1) / 2) / (n - 1))  # true one: 1
    t, shift = critical(n, confidence) * spread, effect / inflation(n, n_folds)
    return float(WEIGHTS @ (ndtr(shift - t) + ndtr(-shift - t)) / 2)


def smallest_found(n: int, n_folds: int, confidence: float) -> float:
    """Return the smallest true difference that is found with a power of 80 %."""
    too_large = 2 * significant(n, n_folds, confidence)
    while power(too_large, n, n_folds, confidence) < POWER:
        too_large *= 2
    return float(brentq(lambda d: power(d, n, n_folds, confidence) - POWER, 0, too_large))


def repeats_to_find(effect: float, n_folds: int, confidence: float) -> int | None:
    """Return how many repeats find a true difference with a power of 80 %; None: no number does.

    Folds of one data set share images, so repeats lower the standard error no further than to
    s / √(k − 1).

    Args:
        effect: The true difference, in standard deviations of the paired differences.
        n_folds: k, of each repeat.
        confidence: Of the two-sided test.
    """
    place = bisect_left(
        range(1, MOST + 1),
        POWER,
        key=lambda repeats: power(effect, repeats * n_folds, n_folds, confidence),
    )
    return place + 1 if place < MOST else None
