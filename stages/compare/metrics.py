"""The metrics of one fold, from its counts and sums.

Each is the function of scikit-learn whose name is said, on the same predictions.
"""

from collections.abc import Iterable
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from stages.contracts.fold_record import Calibration, Tally
from stages.contracts.metrics import MetricName


def fold_metrics(tally: Tally, top_k: int) -> dict[MetricName, float]:
    """Return every metric of the validation images of one fold.

    Args:
        tally: What was said of at least one image.
        top_k: k of the top-k accuracy; 1.0 where there are not more classes than that.
    """
    table = confusion_matrix([tally])
    return {
        "accuracy": tally.n_correct / tally.n_images,
        "balanced_accuracy": _balanced_accuracy(table),
        "macro_f1": _macro_f1(table),
        "log_loss": tally.log_loss / tally.n_images,
        "top_k": sum(tally.ranks[:top_k]) / tally.n_images,
        "calibration_error": _calibration_error(tally.calibration),
    }


def confusion_matrix(tallies: Iterable[Tally]) -> NDArray[np.int64]:
    """Add up counts by (true class, predicted class).

    Args:
        tallies: At least one, all of the same classes.
    """
    first, *others = tallies
    table = np.zeros((first.n_classes, first.n_classes), dtype=np.int64)
    for tally in (first, *others):
        for true, predicted, images in tally.confusion:
            table[true, predicted] += images
    return table


def _balanced_accuracy(table: NDArray[np.int64]) -> float:
    """Return the mean recall of the classes that occur: balanced_accuracy_score."""
    images = table.sum(axis=1)
    occurs = images > 0
    return fmean((table.diagonal()[occurs] / images[occurs]).tolist())


def _macro_f1(table: NDArray[np.int64]) -> float:
    """Return the mean F1 of the classes that occur or are predicted: f1_score(average="macro").

    Images and predictions of a class, added up, hold each hit twice: F1 = 2 · hits / sum.
    """
    either = table.sum(axis=0) + table.sum(axis=1)
    counts = either > 0
    return fmean((2 * table.diagonal()[counts] / either[counts]).tolist())


def _calibration_error(bins: Calibration) -> float:
    """Return how far confidence is from accuracy, mean over the images (Guo et al. 2017, eq. 3)."""
    pairs = zip(bins.correct, bins.confidence, strict=True)
    return sum(abs(correct - confidence) for correct, confidence in pairs) / sum(bins.images)
