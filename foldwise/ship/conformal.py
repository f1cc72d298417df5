"""Prediction sets: split conformal prediction with the scores 1 - p(true class).

Sadinle, Lei and Wasserman 2019, "Least ambiguous set-valued classifiers with bounded error levels".
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def conformal_threshold(of_true: Floats, coverage: float) -> float:
    """Return the probability from which a class is in the prediction set.

    Of new images like these, a share of at least `coverage` has the true class in its set.

    Args:
        of_true: (n,) probability of the true class of images that did not train.
        coverage: Between 0 and 1.
    """
    n = len(of_true)
    rank = math.ceil((n + 1) * coverage)  # of the scores 1 - p, ascending
    if rank > n:
        return 0.0  # too few images for this coverage: every class
    return float(np.sort(of_true)[n - rank])


def prediction_sets(probabilities: Floats, threshold: float) -> NDArray[np.bool_]:
    """Return which classes are in the set of each image: never none, the likeliest at least.

    Args:
        probabilities: (n, n_classes).
        threshold: From `conformal_threshold`.
    """
    sets = probabilities >= threshold
    sets[np.arange(len(sets)), probabilities.argmax(axis=1)] = True
    return sets
