"""One temperature for all logits (Guo et al. 2017, "On calibration of modern neural networks")."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

Logits = NDArray[np.float32]
TEMPERATURES = (0.05, 20.0)  # limits of the search


def fit_temperature(logits: Logits, labels: NDArray[np.int64]) -> float:
    """Return the temperature by which the logits have the lowest mean log loss.

    Args:
        logits: (n, n_classes) of images that did not train.
        labels: (n,) true class.
    """
    values = logits.astype(np.float64)
    true = values[np.arange(len(labels)), labels]

    def loss(log_temperature: float) -> float:
        inverse = math.exp(-log_temperature)
        return float((logsumexp(values * inverse, axis=1) - true * inverse).mean())

    low, high = map(math.log, TEMPERATURES)
    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-6})
    return float(math.exp(found.x))
