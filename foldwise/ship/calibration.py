"""Calibrate the final model on images that did not train: temperature, prediction sets, risk.

The images are those of all folds, so each score is that of a network that did not train on the
image (Vovk 2015, cross-conformal).
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import softmax

from foldwise.engine.scores import count_fold
from foldwise.engine.temperature import TEMPERATURES, Logits, fit_temperature
from foldwise.files.final import Calibrated, CalibrationRecord, Choice, OutOfFold, RiskPoint
from foldwise.selection.metrics import fold_metrics
from foldwise.ship.conformal import conformal_threshold, prediction_sets

Floats = NDArray[np.float64]
N_RISK_POINTS = 20


def calibrate(choice: Choice, logits: Logits, labels: NDArray[np.int64]) -> CalibrationRecord:
    """Return temperature, threshold and the risk-coverage curve.

    All are of means of as many networks as the model has, or of fewer if there are fewer repeats.
    Only a single network gets a temperature: the mean of several is less confident than each of
    them, so the temperature of one makes it underconfident (Rahaman and Thiery 2021, "Uncertainty
    quantification and deep ensembles").

    Args:
        choice: What is shipped.
        logits: (repeats, n, n_classes), each by a network that did not train on the image.
        labels: (n,) true class.
    """
    averaged = logits[: choice.members]
    temperature = supported_temperature(averaged[0], labels) if choice.members == 1 else 1.0
    before, after = (_mean_probabilities(averaged, t) for t in (1.0, temperature))
    threshold = conformal_threshold(after[np.arange(len(labels)), labels], choice.coverage)
    sets = prediction_sets(after, threshold)
    of_all = _mean_probabilities(logits, 1.0).argmax(axis=1)
    return CalibrationRecord(
        calibrated=Calibrated(
            temperature=temperature, coverage=choice.coverage, threshold=threshold
        ),
        n_images=len(labels),
        n_networks=len(averaged),
        before=describe(before, labels),
        after=describe(after, labels),
        accuracy=float((of_all == labels).mean()),
        accuracy_of_one=float((logits.argmax(axis=2) == labels).mean()),
        covered=float(sets[np.arange(len(labels)), labels].mean()),
        mean_set_size=float(sets.sum(axis=1).mean()),
        risk=risk_coverage(after, labels),
    )


def supported_temperature(logits: Logits, labels: NDArray[np.int64]) -> float:
    """Return the temperature with the lowest log loss, or one with as much confidence as is sound.

    If every image is right, the log loss falls without end as the network becomes surer. Then the
    mean confidence is (n + 1) / (n + 2): Laplace's rule of succession, for n right of n.

    Args:
        logits: (n, n_classes) of images that did not train.
        labels: (n,) true class.
    """
    if (logits.argmax(axis=1) != labels).any():
        return fit_temperature(logits, labels)
    confidence, values = (len(labels) + 1) / (len(labels) + 2), logits.astype(np.float64)

    def excess(log_temperature: float) -> float:
        probabilities = softmax(values / math.exp(log_temperature), axis=1)
        return float(probabilities.max(axis=1).mean()) - confidence

    low, high = map(math.log, TEMPERATURES)
    if excess(low) <= 0:
        return TEMPERATURES[0]
    return float(math.exp(brentq(excess, low, high))) if excess(high) < 0 else TEMPERATURES[1]


def risk_coverage(probabilities: Floats, labels: NDArray[np.int64]) -> list[RiskPoint]:
    """Return the accuracy on the most certain images, for several shares of the images."""
    confidence = probabilities.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    right = np.cumsum((probabilities.argmax(axis=1) == labels)[order])
    n = len(labels)
    sizes = sorted(
        {max(1, round(n * part / N_RISK_POINTS)) for part in range(1, N_RISK_POINTS + 1)}
    )
    return [
        RiskPoint(
            share=size / n,
            accuracy=float(right[size - 1] / size),
            confidence=min(1.0, float(confidence[order[size - 1]])),
        )
        for size in sizes
    ]


def describe(probabilities: Floats, labels: NDArray[np.int64]) -> OutOfFold:
    """Return log loss and calibration error, in 15 bins."""
    counts = count_fold(as_logits(probabilities), labels, np.arange(len(labels)))
    metrics = fold_metrics(counts, 1)
    return OutOfFold(
        log_loss=metrics["log_loss"],
        calibration_error=metrics["calibration_error"],
        bins=counts.calibration,
    )


def as_logits(probabilities: NDArray[np.floating]) -> Logits:
    """Return logits whose softmax are the probabilities, (n, n_classes); finite also for 0."""
    smallest = np.finfo(np.float32).tiny
    logits: Logits = np.log(np.maximum(probabilities, smallest)).astype(np.float32)
    return logits


def _mean_probabilities(logits: Logits, temperature: float) -> Floats:
    """Return the probabilities of each image, averaged over the networks, (n, n_classes)."""
    probabilities: Floats = softmax(logits.astype(np.float64) / temperature, axis=2).mean(axis=0)
    return probabilities
