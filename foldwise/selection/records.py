"""Whether the records are those of one fair comparison."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import PurePath

from foldwise.core.errors import InputError
from foldwise.files.card import Card
from foldwise.files.fold_record import FoldRecord
from foldwise.files.params import CompareParams
from foldwise.selection.metrics import confusion_matrix

AGAIN = "delete the file and run 'dvc repro'"


def require_pairs(records: Mapping[str, FoldRecord], params: CompareParams) -> None:
    """Stop unless every record is of its place, and those of one fold saw the same data.

    For one (repeat, fold) all architectures trained on equally many images, validated the same
    number of each class, and trained for equally many epochs: the differences pair.

    Args:
        records: File of each record, as the user wrote it; in the order of `params.runs`.
        params: The design.

    Raises:
        InputError: One line for the first record that does not fit.
    """
    for (place, record), run in zip(records.items(), params.runs, strict=True):
        _require_place(place, record, run, len(params.folds))
        _require_scores(place, record)
    for twins in _twins(records, len(params.repeats) * len(params.folds)):
        for place in twins[1:]:
            for key in ("n_train", "n_validation", "epochs"):
                _require_equal(key, place, twins[0], records)
        _require_same_images([place for place in twins if records[place].fold_counts], records)
    if params.compare.metric == "top_k":
        _require_more_classes(records, params.compare.top_k)


def require_cards(
    cards: Mapping[str, Card], records: Mapping[str, FoldRecord], folder: str
) -> None:
    """Stop unless every card is of the architecture whose folder holds it, and of these classes.

    Args:
        cards: By the name of the folder.
        records: By file.
        folder: Where those folders are, as the user wrote it.

    Raises:
        InputError: One line for the first card that is not.
    """
    for name, card in cards.items():
        if card.name != name:
            raise InputError(
                f"{folder}/{name}/card.json: name is {card.name!r}; expected {name!r}, as its "
                f"folder: {AGAIN}"
            )
    for place, record in records.items():
        n_classes = len(cards[record.model].classes)
        if record.fold_counts and record.fold_counts.n_classes != n_classes:
            raise InputError(
                f"{place}: fold_counts.n_classes is {record.fold_counts.n_classes}, but "
                f"{folder}/{record.model}/card.json has {n_classes} classes: {AGAIN}"
            )
    classes = {name: card.classes for name, card in cards.items()}
    first = next(iter(classes))
    for name in classes:
        if classes[name] != classes[first]:
            raise InputError(
                f"{folder}/{name}/card.json: classes are others than in {folder}/{first}/card.json;"
                " run 'dvc repro' to build both for the same data"
            )


def _require_place(place: str, record: FoldRecord, run: tuple[str, int, int], k: int) -> None:
    keys = ("model", "repeat", "fold", "n_folds")
    for key, expected in zip(keys, (*run, k), strict=True):
        if (found := getattr(record, key)) != expected:
            raise InputError(
                f"{place}: {key} is {found!r}; expected {expected!r}, from params.yaml and the "
                f"file's name: {AGAIN}"
            )


def _require_scores(place: str, record: FoldRecord) -> None:
    if record.status == "diverged":
        return
    if record.fold_counts is None or len(record.curves) != record.epochs:
        raise InputError(
            f"{place}: status is 'finished', but fold_counts or an epoch is missing: {AGAIN}"
        )
    if (found := record.fold_counts.n_images) != record.n_validation:
        raise InputError(
            f"{place}: fold_counts.confusion counts {found} images, but n_validation is "
            f"{record.n_validation}: {AGAIN}"
        )


def _twins(records: Mapping[str, FoldRecord], n_scores: int) -> list[Sequence[str]]:
    """Return the files of each (repeat, fold), one a model: runs go model by model."""
    places = list(records)
    return [places[start::n_scores] for start in range(n_scores)]


def _require_equal(key: str, place: str, other: str, records: Mapping[str, FoldRecord]) -> None:
    found, expected = getattr(records[place], key), getattr(records[other], key)
    if found != expected:
        raise InputError(
            f"{place}: {key} is {found}, but {expected} in {other}; "
            "run 'dvc repro' to train both on the same fold"
        )


def _require_same_images(twins: Sequence[str], records: Mapping[str, FoldRecord]) -> None:
    """Stop unless the fold counts of one fold hold equally many images of each class."""
    images = {
        place: confusion_matrix([fold_counts]).sum(axis=1).tolist()
        for place in twins
        if (fold_counts := records[place].fold_counts)
    }
    for place in twins[1:]:
        if images[place] != images[twins[0]]:
            raise InputError(
                f"{place}: fold_counts.confusion counts other images of the classes than in "
                f"{twins[0]}; run 'dvc repro' to train both on the same fold"
            )


def _require_more_classes(records: Mapping[str, FoldRecord], top_k: int) -> None:
    """Stop where the class is always among the first k: such a metric decides nothing."""
    for place, record in records.items():
        if record.fold_counts and record.fold_counts.n_classes <= top_k:
            raise InputError(
                f"params.yaml: compare.top_k is {top_k}, but {place} has "
                f"{record.fold_counts.n_classes} classes, so that every score would be 1; set "
                f"compare.top_k to less than {record.fold_counts.n_classes}, or compare.metric "
                "to accuracy"
            )


def describe_unused_records(
    folder: PurePath, found: Iterable[PurePath], used: Iterable[PurePath]
) -> str:
    """Return one line that names every file that is not used; empty if there is none.

    Args:
        folder: Of the records.
        found: Every file below it.
        used: The files of this comparison.
    """
    strays = sorted(set(found) - set(used))
    names = ", ".join(
        f"{parent.relative_to(folder)} ({', '.join(file.stem for file in files)})"
        for parent, files in groupby(strays, key=lambda file: file.parent)
    )
    return names and f"{folder}: records of other experiments change nothing here: {names}"
