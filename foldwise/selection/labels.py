"""Labels that look wrong, by confident learning over out-of-fold probabilities.

Northcutt, Jiang, Chuang: Confident Learning (Journal of Artificial Intelligence Research, 2021).
The package cleanlab has it, too, but takes seconds to import; the tests compare with it.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from foldwise.files.fold_record import Predictions

Floats = NDArray[np.float64]


def mean_probabilities(runs: Iterable[Predictions], n: int, n_classes: int) -> Floats:
    """Return the probabilities of each image, averaged over all runs that validated it.

    Args:
        runs: Predictions of the validation folds, after the last epoch.
        n: The number of training images.
        n_classes: The number of classes.

    Returns:
        (n, n_classes); zeros where all trainings diverged.
    """
    total, counts = np.zeros((n, n_classes)), np.zeros((n, 1))
    for run in runs:
        powers = np.exp(run.last.astype(np.float64) - run.last.max(axis=1, keepdims=True))
        total[run.index] += powers / powers.sum(axis=1, keepdims=True)
        counts[run.index] += 1
    return total / np.maximum(counts, 1)


def suspicious_labels(labels: NDArray[np.int64], probabilities: Floats) -> NDArray[np.intp]:
    """Return the positions of images whose label looks wrong, the most suspicious first.

    They are the images with the lowest probability of their label; `count_wrong` says how many,
    the mean of its two numbers. With labels made wrong on purpose, this told them from right ones
    better than cleanlab's default (docs/data.md).

    Args:
        labels: (n,) class of each image.
        probabilities: (n, n_classes) from networks that did not train on the image; zeros: unknown.
    """
    (known,) = np.nonzero(probabilities.any(axis=1))
    of_label = probabilities[known, labels[known]]
    n_wrong = round(sum(count_wrong(labels[known], probabilities[known])) / 2)
    return known[np.argsort(of_label, kind="stable")[:n_wrong]]


def count_wrong(labels: NDArray[np.int64], probabilities: Floats) -> tuple[int, float]:
    """Return how many labels are surely wrong, and how many if all images were as clear.

    A class is likely for an image if its probability is at least its mean over the images with
    that label. A label is surely wrong if another class is the likely one with the highest
    probability. Many images have no likely class. The second number takes for them the share of
    wrong labels among the other images of their label. The truth is usually between the numbers.

    Args:
        labels: (n,) class of each image.
        probabilities: (n, n_classes).
    """
    n_classes = probabilities.shape[1]
    sizes = np.bincount(labels, minlength=n_classes)
    sums = np.bincount(labels, probabilities[np.arange(len(labels)), labels], n_classes)
    usual = np.divide(sums, sizes, out=np.full(n_classes, np.inf), where=sizes > 0)
    likely = np.where(probabilities >= usual, probabilities, 0)
    is_clear = likely.any(axis=1)
    is_other = is_clear & (likely.argmax(axis=1) != labels)
    clear, other = (np.bincount(labels[part], minlength=n_classes) for part in (is_clear, is_other))
    surely = int((is_other & (probabilities.argmax(axis=1) != labels)).sum())
    return surely, float((sizes * other / np.maximum(clear, 1)).sum())


def label_table(
    flagged: NDArray[np.intp],
    labels: NDArray[np.int64],
    probabilities: Floats,
    files: list[str],
    classes: list[str],
) -> pd.DataFrame:
    """Return the table of labels that look wrong, one row per image."""
    best = probabilities[flagged].argmax(axis=1)
    return pd.DataFrame(
        {
            "file": [files[position] for position in flagged],
            "label": [classes[label] for label in labels[flagged]],
            "suggested": [classes[label] for label in best],
            "probability": probabilities[flagged, best].round(4),
            "label_probability": probabilities[flagged, labels[flagged]].round(4),
        }
    )
