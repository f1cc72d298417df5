"""The metrics of one fold, from its counts and sums.

Each is the function of scikit-learn whose name is said, on the same predictions.
"""

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
    """Return every metric of the validation images of one fold.

    Args:
        counts: What was said of at least one image.
        top_k: k of the top-k accuracy; 1.0 where there are not more classes than that.
    """
    table = confusion_matrix([counts])
    return {
        "accuracy": counts.n_correct / counts.n_images,
        "balanced_accuracy": _balanced_accuracy(table),
        "macro_f1": _macro_f1(table),
        "log_loss": counts.log_loss / counts.n_images,
        "top_k": sum(counts.ranks[:top_k]) / counts.n_images,
        "calibration_error": _calibration_error(counts.calibration),
    }


def confusion_matrix(folds: Iterable[FoldCounts]) -> NDArray[np.int64]:
    """Add up counts by (true class, predicted class).

    Args:
        folds: At least one, all of the same classes.
    """
    first, *others = folds
    table = np.zeros((first.n_classes, first.n_classes), dtype=np.int64)
    for counts in (first, *others):
        for true, predicted, images in counts.confusion:
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


def majority(folds: Iterable[FoldCounts], top_k: int) -> Baseline:
    """Return the largest class, and the metrics of always saying it.

    Its probabilities are the shares of the classes: scikit-learn's
    DummyClassifier(strategy="prior"). Of equally large classes the first is said.

    Args:
        folds: Of all validation images, each once a repeat; all of the same classes.
        top_k: k of the top-k accuracy.
    """
    images = confusion_matrix(folds).sum(axis=1).tolist()
    n, label = sum(images), images.index(max(images))
    said = FoldCounts(
        n_classes=len(images),
        confusion=[(true, label, count) for true, count in enumerate(images) if count],
        log_loss=sum(count * math.log(n / count) for count in images if count),
        ranks=sorted(images, reverse=True),
        calibration=Calibration(
            images=[n], correct=[images[label]], confidence=[float(images[label])]
        ),
        mistakes=[],
    )
    return Baseline(label=label, metrics=fold_metrics(said, top_k))


def best_first(architectures: Iterable[Architecture], metric: Metric) -> list[Architecture]:
    """Return the architectures by their mean; the order given does not matter.

    Of equal means (to twelve decimals) the one with the fewest multiply-adds comes first, then
    the one whose name does. Those that failed come last, by name.
    """
    return sorted(architectures, key=lambda one: _place(one, metric))


def lower_is_better(value: float, metric: Metric) -> float:
    """Return a value of which the lowest is the best, without rounding errors."""
    return round(-value if metric.higher_is_better else value, DIGITS)


def ranks(values: Mapping[str, float]) -> dict[str, int]:
    """Return the rank of each value, 1 for the lowest; equal ones (to twelve decimals) share it."""
    rounded = {name: round(value, DIGITS) for name, value in values.items()}
    return {
        name: 1 + sum(other < value for other in rounded.values())
        for name, value in rounded.items()
    }


def _place(architecture: Architecture, metric: Metric) -> tuple[bool, float, int, str]:
    if architecture.scores is None:
        return True, 0, 0, architecture.name
    mean = lower_is_better(architecture.scores.mean, metric)
    return False, mean, architecture.macs, architecture.name
