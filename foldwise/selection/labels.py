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
        if len(run.index) == 0:  # it diverged
            continue
        powers = np.exp(run.last.astype(np.float64) - run.last.max(axis=1, keepdims=True))
        total[run.index] += powers / powers.sum(axis=1, keepdims=True)
        counts[run.index] += 1
    return total / np.maximum(counts, 1)


def suspicious_labels(labels: NDArray[np.int64], probabilities: Floats) -> NDArray[np.intp]:
    """Return the positions of images whose label looks wrong, the most suspicious first.

    A class is likely for an image if its probability is at least its mean over the images with
    that label. A label is counted as wrong if another class is the likely one with the highest
    probability. As many images are returned: of those predicted as another class, the images with
    the lowest probability of their label. That is cleanlab's filter "low_self_confidence", which
    may also return images that are predicted as their label. With labels made wrong on purpose, it
    told them from right ones better than cleanlab's default (docs/data.md).

    Args:
        labels: (n,) class of each image.
        probabilities: (n, n_classes) from networks that did not train on the image; zeros: unknown.
    """
    (known,) = np.nonzero(probabilities.any(axis=1))
    table, label = probabilities[known], labels[known]
    of_label = table[np.arange(len(label)), label]
    sizes = np.bincount(label, minlength=table.shape[1])
    sums = np.bincount(label, weights=of_label, minlength=table.shape[1])
    usual = np.divide(sums, sizes, out=np.full(len(sizes), np.inf), where=sizes > 0)
    likely = np.where(table >= usual, table, 0)
    is_other = likely.any(axis=1) & (likely.argmax(axis=1) != label)
    differs = table.argmax(axis=1) != label
    n_wrong = int((is_other & differs).sum())
    return known[np.lexsort((of_label, ~differs))[:n_wrong]]


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
