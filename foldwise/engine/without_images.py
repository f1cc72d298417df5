"""Count the predictions of folds again without some of their validation images."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from foldwise.engine.scores import count_fold
from foldwise.files.fold_record import Predictions
from foldwise.files.inspection import CheckedCounts, RunCounts


def count_without(
    runs: Mapping[tuple[str, int, int], Predictions],
    labels: NDArray[np.int64],
    removed: NDArray[np.intp],
) -> CheckedCounts:
    """Return the counts of each run as if some images had not validated.

    Args:
        runs: Predictions by model, repeat and fold.
        labels: (n,) class of each training image.
        removed: Positions of the images in the data set.
    """
    counts = []
    for (model, repeat, fold), run in runs.items():
        stays = ~np.isin(run.index, removed)
        fold_counts = None
        if stays.any():
            index = run.index[stays]
            counted = count_fold(run.last[stays], labels[index], index)
            fold_counts = counted.model_copy(update={"mistakes": []})
        counts.append(RunCounts(model=model, repeat=repeat, fold=fold, fold_counts=fold_counts))
    return CheckedCounts(runs=counts)
