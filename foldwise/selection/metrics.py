"""Metrics of one fold, the majority baseline, and the ranking of architectures."""

import math
from collections.abc import Iterable, Mapping
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from foldwise.files.comparison import Architecture, Baseline
from foldwise.files.fold_record import Calibration, FoldCounts
from foldwise.files.verdict import Metric, MetricName
from foldwise.selection.statistics import DIGITS


def fold_metrics(counts: FoldCounts, top_k: int) -> dict[MetricName, float]:
    """Return every metric of the predictions on one fold, as scikit-learn defines them.

    Args:
        counts: Counts over at least one image.
        top_k: k of the top-k accuracy, which is 1.0 if there are at most k classes.
    """
    matrix = confusion_matrix([counts])
    return {
        "accuracy": counts.n_correct / counts.n_images,
        "balanced_accuracy": _balanced_accuracy(matrix),
        "macro_f1": _macro_f1(matrix),
        "log_loss": counts.log_loss / counts.n_images,
        "top_k": sum(counts.ranks[:top_k]) / counts.n_images,
        "calibration_error": _calibration_error(counts.calibration),
    }


def confusion_matrix(folds: Iterable[FoldCounts]) -> NDArray[np.int64]:
    """Return the sum of the confusion matrices.

    Args:
        folds: Counts of at least one fold, all of the same classes.

    Returns:
        (n_classes, n_classes) images by (true class, predicted class).
    """
    first, *others = folds
    matrix = np.zeros((first.n_classes, first.n_classes), dtype=np.int64)
    for counts in (first, *others):
        for true, predicted, images in counts.confusion:
            matrix[true, predicted] += images
    return matrix


def _balanced_accuracy(matrix: NDArray[np.int64]) -> float:
    """Return the mean recall of the classes that occur: balanced_accuracy_score."""
    images = matrix.sum(axis=1)
    occurs = images > 0
    return fmean((matrix.diagonal()[occurs] / images[occurs]).tolist())


def _macro_f1(matrix: NDArray[np.int64]) -> float:
    """Return the mean F1 of the classes that occur or are predicted: f1_score(average="macro").

    F1 = 2 · hits / (images of the class + predictions of the class).
    """
    images_and_predictions = matrix.sum(axis=0) + matrix.sum(axis=1)
    used = images_and_predictions > 0
    return fmean((2 * matrix.diagonal()[used] / images_and_predictions[used]).tolist())


def _calibration_error(bins: Calibration) -> float:
    """Return the expected calibration error (Guo et al. 2017, eq. 3)."""
    pairs = zip(bins.correct, bins.confidence, strict=True)
    return sum(abs(correct - confidence) for correct, confidence in pairs) / sum(bins.images)


def majority_baseline(folds: Iterable[FoldCounts], top_k: int) -> Baseline:
    """Return the metrics of always predicting the largest class.

    The probabilities are the class frequencies, as in scikit-learn's
    DummyClassifier(strategy="prior"). Of equally large classes the first is predicted.

    Args:
        folds: Counts of all validation images, each once per repeat.
        top_k: k of the top-k accuracy.
    """
    images = confusion_matrix(folds).sum(axis=1).tolist()
    n, label = sum(images), images.index(max(images))
    counts = FoldCounts(
        n_classes=len(images),
        confusion=[(true, label, count) for true, count in enumerate(images) if count],
        log_loss=sum(count * math.log(n / count) for count in images if count),
        ranks=sorted(images, reverse=True),
        calibration=Calibration(
            images=[n], correct=[images[label]], confidence=[float(images[label])]
        ),
        mistakes=[],
    )
    return Baseline(label=label, metrics=fold_metrics(counts, top_k))


def as_loss(value: float, metric: Metric) -> float:
    """Return the value rounded, and negated if higher is better: the lowest is the best."""
    return round(-value if metric.higher_is_better else value, DIGITS)


def ranks(values: Mapping[str, float]) -> dict[str, int]:
    """Return the rank of each value, 1 for the lowest; values equal to 12 decimals share it."""
    rounded = {name: round(value, DIGITS) for name, value in values.items()}
    return {
        name: 1 + sum(other < value for other in rounded.values())
        for name, value in rounded.items()
    }


def best_first(architectures: Iterable[Architecture], metric: Metric) -> list[Architecture]:
    """Return the architectures sorted by mean, failed ones last; the input order does not matter.

    Equal means (to 12 decimals) are sorted by MACs, then by name; failed architectures by name.
    """

    def key(architecture: Architecture) -> tuple[float, int, str]:
        if architecture.scores is None:
            return math.inf, 0, architecture.name
        return as_loss(architecture.scores.mean, metric), architecture.macs, architecture.name

    return sorted(architectures, key=key)
