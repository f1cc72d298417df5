"""The CSV tables of a comparison: folds, epochs, classes and confusions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from foldwise.files.comparison import Confused, ConfusedPair, Example
from foldwise.files.fold_record import FoldRecord, Mistake
from foldwise.files.tables import CLASSES, CONFUSION, CURVES, FOLD, SCORES, Columns
from foldwise.files.verdict import MetricName
from foldwise.selection.metrics import fold_metrics
from foldwise.selection.statistics import ScoreMatrix

Matrix = NDArray[np.int64]  # (classes, classes) images by (true class, predicted class)

MAX_PAIRS = 6
MAX_EXAMPLES = 8  # of each pair


def scores_table(records: Iterable[FoldRecord], metric: MetricName, top_k: int) -> pd.DataFrame:
    """Return one row per record; a fold that diverged has no numbers.

    Args:
        records: Records in the order of the rows.
        metric: The metric that decides, which fills the column `score`.
        top_k: k of the top-k accuracy.

    Returns:
        Table with the columns of SCORES.
    """
    return _table([_key(record) | _scores(record, metric, top_k) for record in records], SCORES)


def scores_by_model(table: pd.DataFrame) -> dict[str, ScoreMatrix]:
    """Return the scores of every architecture that finished all its folds.

    A fold that diverged is neither averaged nor left out of an average.

    Args:
        table: Table with the columns of SCORES.

    Returns:
        By architecture, one row per repeat with one score per fold.
    """
    return {
        str(model): [repeat["score"].tolist() for _, repeat in rows.groupby("repeat", sort=False)]
        for model, rows in table.groupby("model", sort=False)
        if rows["score"].notna().all()
    }


def curves_table(records: Iterable[FoldRecord]) -> pd.DataFrame:
    """Return one row per epoch, including the epochs before a divergence.

    Returns:
        Table with the columns of CURVES.
    """
    rows = [_key(record) | epoch.model_dump() for record in records for epoch in record.curves]
    return _table(rows, CURVES)


def classes_table(matrices: Mapping[str, Matrix], classes: Sequence[str]) -> pd.DataFrame:
    """Return one row per architecture and class.

    Args:
        matrices: Confusion matrix of each architecture that finished, over all folds.
        classes: Class names.

    Returns:
        Table with the columns of CLASSES.
    """
    rows = [
        (model, name, images, _share(correct, images), _share(correct, predictions))
        for model, matrix in matrices.items()
        for name, correct, images, predictions in zip(
            classes, matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0), strict=True
        )
    ]
    return _table(rows, CLASSES)


def confusion_table(matrix: Matrix, classes: Sequence[str]) -> pd.DataFrame:
    """Return one row per pair of true and predicted class that has images.

    Args:
        matrix: Confusion matrix of the chosen architecture; zeros if none finished.
        classes: Class names.

    Returns:
        Table with the columns of CONFUSION.
    """
    images = matrix.sum(axis=1)
    rows = [
        (classes[true], classes[predicted], count, count / images[true])
        for (true, predicted), count in np.ndenumerate(matrix)
        if count
    ]
    return _table(rows, CONFUSION)


def most_confused(
    model: str | None, matrix: Matrix, mistakes: Iterable[Mistake], classes: Sequence[str]
) -> Confused:
    """Return the class pairs with the most mistakes.

    Of pairs with equally many mistakes, those with examples come first, then the first classes.

    Args:
        model: Name of the chosen architecture; None if none finished.
        matrix: Its confusion matrix over all folds; zeros if none finished.
        mistakes: Examples from all of its folds.
        classes: Class names.
    """
    images = matrix.sum(axis=1)
    by_pair: dict[tuple[int, int], dict[int, Example]] = {}  # each image once
    for mistake in sorted(mistakes, key=lambda mistake: (-mistake.confidence, mistake.image)):
        example = Example(image=mistake.image, confidence=mistake.confidence)
        by_pair.setdefault((mistake.true, mistake.predicted), {}).setdefault(mistake.image, example)
    confused = [(int(t), int(p)) for t, p in np.argwhere(matrix) if t != p]
    confused.sort(key=lambda pair: (-matrix[pair], pair not in by_pair))
    pairs = [
        ConfusedPair(
            true=classes[true],
            predicted=classes[predicted],
            images=int(matrix[true, predicted]),
            share=float(matrix[true, predicted] / images[true]),
            examples=list(by_pair.get((true, predicted), {}).values())[:MAX_EXAMPLES],
        )
        for true, predicted in confused[:MAX_PAIRS]
    ]
    return Confused(model=model, pairs=pairs)


def _table(rows: list[Any], columns: Columns) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(columns)).astype(dict(columns))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _key(record: FoldRecord) -> dict[str, Any]:
    return record.model_dump(include={*FOLD})


def _scores(record: FoldRecord, metric: MetricName, top_k: int) -> dict[str, Any]:
    if record.status == "diverged" or record.fold_counts is None:
        return {}
    metrics = fold_metrics(record.fold_counts, top_k)
    return {
        "score": metrics[metric],
        **{str(name): value for name, value in metrics.items()},
        "train_accuracy": record.curves[-1].train_accuracy,
        "seconds_per_epoch": record.timing.train_seconds / len(record.curves),
    }
