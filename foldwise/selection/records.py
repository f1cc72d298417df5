"""Checks that the fold records and cards make one fair comparison."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import PurePath

from foldwise.core.errors import InputError
from foldwise.files.fold_record import FoldRecord
from foldwise.files.network import Card
from foldwise.files.params import Params

REMEDY = "delete the file"
RUN = ("model", "repeat", "fold", "n_folds")
SAME_FOLD = ("n_train", "n_validation", "train_digest", "validation_digest", "epochs")


def require_fair_comparison(records: Mapping[str, FoldRecord], params: Params) -> None:
    """Raise an error unless all architectures were trained and validated on the same folds.

    Each record must belong to its file name. For each (repeat, fold), all architectures must have
    the same images, as their digests say, and as many epochs, so that their scores are paired.

    Args:
        records: Record of each file, in the order of `params.runs`.
        params: Models, repeats, folds, and the settings of compare.

    Raises:
        InputError: One line for the first record that does not fit.
    """
    first: dict[tuple[int, int], str] = {}  # file of the first architecture of each fold
    for (file, record), run in zip(records.items(), params.runs, strict=True):
        for key, value in zip(RUN, (*run, len(params.folds)), strict=True):
            _require_equal(file, key, getattr(record, key), value, "params.yaml and the file name")
        _require_scores(file, record)
        other = first.setdefault((record.repeat, record.fold), file)
        for key in SAME_FOLD:
            value = getattr(records[other], key)
            _require_equal(file, key, getattr(record, key), value, other, "delete both files")
        if params.compare.metric == "top_k":
            _require_more_classes(file, record, params.compare.top_k)


def require_matching_cards(
    cards: Mapping[str, Card], records: Mapping[str, FoldRecord], folder: str
) -> None:
    """Raise an error unless the cards describe the architectures and classes of the records.

    Args:
        cards: Card of each architecture, by the name of its folder.
        records: Record of each file.
        folder: Folder of the cards, for the message.

    Raises:
        InputError: One line for the first card or record that does not match.
    """
    files = {name: f"{folder}/{name}/card.json" for name in cards}
    first = next(iter(cards))
    for name, card in cards.items():
        _require_equal(files[name], "name", card.name, name, "the name of its folder")
        if card.classes != cards[first].classes:
            raise InputError(
                f"{files[name]}: classes differ from those in {files[first]}; run 'dvc repro' to "
                "build both for the same data"
            )
    for file, record in records.items():
        if counts := record.fold_counts:
            n_classes, source = len(cards[record.model].classes), files[record.model]
            _require_equal(file, "fold_counts.n_classes", counts.n_classes, n_classes, source)


def describe_unused_records(
    folder: PurePath, present: Iterable[PurePath], used: Iterable[PurePath]
) -> str:
    """Return one line that names the records of other experiments; empty if there are none.

    Args:
        folder: Folder of the records.
        present: All files below it.
        used: Files of this comparison.
    """
    unused = groupby(sorted(set(present) - set(used)), key=lambda file: file.parent)
    names = ", ".join(
        f"{parent.relative_to(folder)} ({', '.join(file.stem for file in files)})"
        for parent, files in unused
    )
    return names and f"{folder}: records of other experiments are ignored: {names}"


def _require_equal(
    file: str, key: str, value: object, expected: object, source: str, remedy: str = REMEDY
) -> None:
    if value != expected:
        raise InputError(
            f"{file}: {key} is {value!r}, but {expected!r} in {source}; {remedy} and run "
            "'dvc repro'"
        )


def _require_scores(file: str, record: FoldRecord) -> None:
    if record.status == "diverged":
        return
    counts = record.fold_counts
    if counts is None or len(record.curves) != record.epochs:
        raise InputError(
            f"{file}: status is 'finished', but fold_counts or an epoch is missing; {REMEDY} and "
            "run 'dvc repro'"
        )
    key = "number of images in fold_counts"
    _require_equal(file, key, counts.n_images, record.n_validation, "n_validation")


def _require_more_classes(file: str, record: FoldRecord, top_k: int) -> None:
    """Raise an error if the top-k accuracy would always be 1."""
    counts = record.fold_counts
    if counts and counts.n_classes <= top_k:
        raise InputError(
            f"params.yaml: compare.top_k is {top_k}, but {file} has {counts.n_classes} classes, so "
            f"every score would be 1; set compare.top_k to less than {counts.n_classes}, or "
            "compare.metric to accuracy"
        )
