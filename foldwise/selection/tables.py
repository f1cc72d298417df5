"""The records as tables: one row a fold, an epoch, a class, and two classes that are confused."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from foldwise.files.comparison import Confused, ConfusedPair, Example
from foldwise.files.fold_record import FoldRecord, Mistake
from foldwise.files.params import CompareSection
from foldwise.files.tables import CLASSES, CONFUSION, CURVES, SCORES, Columns
from foldwise.selection.metrics import fold_metrics


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
    if record.status == "diverged" or record.fold_counts is None:
        return {}
    metrics = fold_metrics(record.fold_counts, section.top_k)
    return {
        "score": metrics[section.metric],
        **{str(name): value for name, value in metrics.items()},
        "train_accuracy": record.curves[-1].train_accuracy,
        "seconds_per_epoch": record.timing.train_seconds / len(record.curves),
    }


PAIRS = 6
EXAMPLES = 8  # of each pair


def most_confused(
    model: str,
    matrix: NDArray[np.int64],
    mistakes: Iterable[Mistake],
    classes: Sequence[str],
) -> Confused:
    """Return the pairs of most images; of equal ones those with examples lead, then the first.

    Args:
        model: Name of the architecture.
        matrix: Its images by (true class, predicted class), all folds together.
        mistakes: Of all its folds.
        classes: Names, one a class.
    """
    found = list(mistakes)
    images = matrix.sum(axis=1)
    shown = {(one.true, one.predicted) for one in found}
    wrong = [(int(t), int(p)) for t, p in np.argwhere(matrix) if t != p]
    ranked = sorted(wrong, key=lambda pair: (-matrix[pair], pair not in shown))
    return Confused(
        model=model,
        pairs=[
            ConfusedPair(
                true=classes[true],
                predicted=classes[predicted],
                images=int(matrix[true, predicted]),
                share=float(matrix[true, predicted] / images[true]),
                examples=_examples(
                    one for one in found if (one.true, one.predicted) == (true, predicted)
                ),
            )
            for true, predicted in ranked[:PAIRS]
        ],
    )


def _examples(mistakes: Iterable[Mistake]) -> list[Example]:
    """Return each image once, with the surest mistake of any repeat; the surest first."""
    surest: dict[int, float] = {}
    for one in mistakes:
        surest[one.image] = max(one.confidence, surest.get(one.image, 0.0))
    order = sorted(surest, key=lambda image: (-surest[image], image))
    return [Example(image=image, confidence=surest[image]) for image in order[:EXAMPLES]]
