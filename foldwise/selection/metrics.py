"""Metrics of one fold, the majority baseline, and the ranking of architectures."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from foldwise.files.comparison import Architecture, Baseline
from foldwise.files.fold_record import Calibration, FoldCounts
from foldwise.files.verdict import Metric, MetricName
from foldwise.selection.statistics import DIGITS


def fold_metrics(counts: FoldCounts, top_k: int) -> dict[MetricName, float]:
    """Return every metric of the predictions on one fold, as scikit-learn defines them.

    Balanced accuracy is the mean recall of the classes that occur. Macro F1 is the mean F1 of the
    classes that occur or are predicted. The calibration error is that of Guo et al. 2017, eq. 3.

    Args:
        counts: Counts over at least one image.
        top_k: k of the top-k accuracy, which is 1.0 if there are at most k classes.
    """
    matrix, bins = confusion_matrix([counts]), counts.calibration
    correct, images = matrix.diagonal(), matrix.sum(axis=1)
    images_and_predictions = images + matrix.sum(axis=0)
    occurs, used = images > 0, images_and_predictions > 0
    errors = (abs(c - p) for c, p in zip(bins.correct, bins.confidence, strict=True))
    return {
        "accuracy": counts.n_correct / counts.n_images,
        "balanced_accuracy": fmean((correct[occurs] / images[occurs]).tolist()),
        "macro_f1": fmean((2 * correct[used] / images_and_predictions[used]).tolist()),
        "log_loss": counts.log_loss / counts.n_images,
        "top_k": sum(counts.ranks[:top_k]) / counts.n_images,
        "calibration_error": sum(errors) / sum(bins.images),
    }


def confusion_matrix(folds: Sequence[FoldCounts]) -> NDArray[np.int64]:
    """Return the sum of the confusion matrices.

    Args:
        folds: Counts of at least one fold, all of the same classes.

    Returns:
        (n_classes, n_classes) images by (true class, predicted class).
    """
    matrix = np.zeros((folds[0].n_classes, folds[0].n_classes), dtype=np.int64)
    for true, predicted, images in chain.from_iterable(counts.confusion for counts in folds):
        matrix[true, predicted] += images
    return matrix


def majority_baseline(folds: Sequence[FoldCounts], top_k: int) -> Baseline:
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
        calibration=Calibration(images=[n], correct=[images[label]], confidence=[images[label]]),
        mistakes=[],
    )
    return Baseline(label=label, metrics=fold_metrics(counts, top_k))


def as_loss(value: float, metric: Metric) -> float:
    """Return the value rounded, and negated if higher is better: the lowest is the best."""
    return round(-value if metric.higher_is_better else value, DIGITS)


def ranks(values: Mapping[str, float]) -> dict[str, int]:
    """Return the rank of each value, 1 for the lowest; values equal to 12 decimals share it."""
    ordered = sorted(round(value, DIGITS) for value in values.values())
    return {name: 1 + ordered.index(round(value, DIGITS)) for name, value in values.items()}


def best_first(architectures: Iterable[Architecture], metric: Metric) -> list[Architecture]:
    """Return the architectures sorted by mean, failed ones last; the input order does not matter.

    Equal means (to 12 decimals) are sorted by MACs, then by name; failed architectures by name.
    """

    def key(architecture: Architecture) -> tuple[float, int, str]:
        scores = architecture.scores
        loss, macs = (as_loss(scores.mean, metric), architecture.macs) if scores else (math.inf, 0)
        return loss, macs, architecture.name

    return sorted(architectures, key=key)
