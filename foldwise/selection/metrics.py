"""Metrics of folds and classes, as numbers and as the tables of a comparison."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from foldwise.files.comparison import Architecture, Baseline, Confused, ConfusedPair
from foldwise.files.fold_record import Calibration, FoldCounts, FoldRecord, Mistake, encode_ranks
from foldwise.files.tables import CLASSES, CONFUSION, CURVES, FOLD, SCORES, Columns
from foldwise.files.verdict import Metric, MetricName
from foldwise.selection.statistics import DIGITS, ScoreMatrix

Matrix = NDArray[np.int64]  # (classes, classes) images by (true class, predicted class)

MAX_PAIRS = 6
MAX_EXAMPLES = 8  # of each pair


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


def confusion_matrix(folds: Sequence[FoldCounts]) -> Matrix:
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
    by_size = np.argsort(-np.array(images), kind="stable")
    labels = np.repeat(np.arange(len(images)), images)
    counts = FoldCounts(
        n_classes=len(images),
        confusion=[(true, label, count) for true, count in enumerate(images) if count],
        log_loss=sum(count * math.log(n / count) for count in images if count),
        ranks=sorted(images, reverse=True),
        calibration=Calibration(images=[n], correct=[images[label]], confidence=[images[label]]),
        mistakes=[],
        image_ranks=encode_ranks(1 + np.argsort(by_size)[labels], labels),
    )
    return Baseline(label=label, images=images, metrics=fold_metrics(counts, top_k))


def as_loss(value: float, metric: Metric) -> float:
    """Return the value rounded, and negated if higher is better: the lowest is the best."""
    return round(-value if metric.higher_is_better else value, DIGITS)


def ranks(values: Mapping[str, float]) -> dict[str, int]:
    """Return the rank of each value, 1 for the lowest; values equal to 12 decimals share it."""
    ordered = sorted(round(value, DIGITS) for value in values.values())
    return {name: 1 + ordered.index(round(value, DIGITS)) for name, value in values.items()}


def best_first(architectures: Sequence[Architecture], metric: Metric) -> list[Architecture]:
    """Return the architectures sorted by mean; the input order does not matter.

    Those that a race stopped follow by the score of their first fold, then those that diverged.
    Equal scores (to 12 decimals) are sorted by MACs, then by name.
    """

    def key(a: Architecture) -> tuple[bool, float, int, str]:
        score = a.scores.mean if a.scores else a.first_score
        loss = math.inf if score is None else as_loss(score, metric)
        return a.scores is None, loss, a.macs, a.name

    return sorted(architectures, key=key)


def scores_table(records: Iterable[FoldRecord], metric: MetricName, top_k: int) -> pd.DataFrame:
    """Return one row per record; a fold that diverged, or never trained, has no numbers.

    Args:
        records: Records in the order of the rows.
        metric: The metric that decides, which fills the column `score`.
        top_k: k of the top-k accuracy.

    Returns:
        Table with the columns of SCORES.
    """
    return _table([_fold(record) | _scores(record, metric, top_k) for record in records], SCORES)


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
    rows = [_fold(record) | epoch.model_dump() for record in records for epoch in record.curves]
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
    by_pair: dict[tuple[int, int], list[int]] = {}
    for mistake in sorted(mistakes, key=lambda mistake: (-mistake.confidence, mistake.image)):
        by_pair.setdefault((mistake.true, mistake.predicted), []).append(mistake.image)
    confused = [(int(t), int(p)) for t, p in np.argwhere(matrix) if t != p]
    confused.sort(key=lambda pair: (-matrix[pair], pair not in by_pair))
    pairs = [
        ConfusedPair(
            true=classes[true],
            predicted=classes[predicted],
            images=int(matrix[true, predicted]),
            share=float(matrix[true, predicted] / images[true]),
            examples=list(dict.fromkeys(by_pair.get((true, predicted), [])))[:MAX_EXAMPLES],
        )
        for true, predicted in confused[:MAX_PAIRS]
    ]
    return Confused(model=model, pairs=pairs)


def _table(rows: list[Any], columns: Columns) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(columns)).astype(dict(columns))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _fold(record: FoldRecord) -> dict[str, Any]:
    return record.model_dump(include={*FOLD})


def _scores(record: FoldRecord, metric: MetricName, top_k: int) -> dict[str, Any]:
    if record.status != "finished" or record.fold_counts is None:
        return {}
    metrics = fold_metrics(record.fold_counts, top_k)
    return {
        "score": metrics[metric],
        **{str(name): value for name, value in metrics.items()},
        "train_accuracy": record.curves[-1].train_accuracy,
        "seconds_per_epoch": record.timing.train_seconds / len(record.curves),
    }
