"""The records as tables: one row a fold, an epoch, a class, and two classes that are confused."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.compare.metrics import fold_metrics
from stages.compare.params import CompareSection
from stages.contracts.fold_record import FoldRecord
from stages.contracts.tables import CLASSES, CONFUSION, CURVES, SCORES, Columns


def scores_table(records: Iterable[FoldRecord], section: CompareSection) -> pd.DataFrame:
    """Return one row a record; what diverged has no numbers.

    Args:
        records: In the order of the rows.
        section: Which metric decides, and k of the top-k accuracy.

    Returns:
        The columns of SCORES.
    """
    return _table([_key(record) | _scores(record, section) for record in records], SCORES)


def curves_table(records: Iterable[FoldRecord]) -> pd.DataFrame:
    """Return one row an epoch, those before a divergence included.

    Returns:
        The columns of CURVES.
    """
    rows = [_key(record) | epoch.model_dump() for record in records for epoch in record.curves]
    return _table(rows, CURVES)


def classes_table(
    matrices: Mapping[str, NDArray[np.int64]], classes: Sequence[str]
) -> pd.DataFrame:
    """Return one row a class of each architecture.

    Args:
        matrices: Images by (true class, predicted class) of each architecture that finished.
        classes: Names, one a class.

    Returns:
        The columns of CLASSES.
    """
    rows = [
        {
            "model": model,
            "class": classes[label],
            "images": images,
            "recall": matrix[label, label] / images if images else None,
            "precision": matrix[label, label] / taken if taken else None,
        }
        for model, matrix in matrices.items()
        for label, (images, taken) in enumerate(
            zip(matrix.sum(axis=1).tolist(), matrix.sum(axis=0).tolist(), strict=True)
        )
    ]
    return _table(rows, CLASSES)


def confusion_table(matrix: NDArray[np.int64] | None, classes: Sequence[str]) -> pd.DataFrame:
    """Return one row a pair of classes that has images.

    Args:
        matrix: Images by (true class, predicted class) of one architecture; None: none finished.
        classes: Names, one a class.

    Returns:
        The columns of CONFUSION.
    """
    if matrix is None:
        return _table([], CONFUSION)
    images = matrix.sum(axis=1)
    rows = [
        {
            "true": classes[true],
            "predicted": classes[predicted],
            "images": matrix[true, predicted],
            "share": matrix[true, predicted] / images[true],
        }
        for true, predicted in np.argwhere(matrix)
    ]
    return _table(rows, CONFUSION)


def _table(rows: list[dict[str, Any]], columns: Columns) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(columns)).astype(dict(columns))


def _key(record: FoldRecord) -> dict[str, Any]:
    return {"model": record.model, "repeat": record.repeat, "fold": record.fold}


def _scores(record: FoldRecord, section: CompareSection) -> dict[str, Any]:
    if record.status == "diverged" or record.tally is None:
        return {}
    metrics = fold_metrics(record.tally, section.top_k)
    return {
        "score": metrics[section.metric],
        **{str(name): value for name, value in metrics.items()},
        "train_accuracy": record.curves[-1].train_accuracy,
        "seconds_per_epoch": record.timing.train_seconds / len(record.curves),
    }
