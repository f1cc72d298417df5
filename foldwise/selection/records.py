"""Checks that the fold records and cards make one fair comparison."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path, PurePath

from foldwise.core.errors import InputError
from foldwise.files.base import read_json
from foldwise.files.fold_record import FoldRecord, read_record, record_path
from foldwise.files.inspection import CheckedCounts
from foldwise.files.network import Card
from foldwise.files.params import Params
from foldwise.files.validation import shown
from foldwise.selection.record_facts import Fact, facts_of_record, facts_of_siblings

RUN = ("model", "repeat", "fold", "n_folds")


def read_records(folder: Path, params: Params) -> dict[str, FoldRecord]:
    """Return the record of each file, in the order of `params.runs`.

    Raises:
        InputError: One line for the first file that is missing or no fold record.
    """
    records = {}
    for run in params.runs:
        path = record_path(folder, *run)
        try:
            records[str(path)] = read_record(path)
        except InputError as error:
            line = str(error).partition("\n")[0]
            is_complete = "dvc repro" in line
            raise InputError(line if is_complete else f"{line}; {retrain(run)}") from None
    return records


def records_of_checked(records: Mapping[str, FoldRecord], path: Path) -> list[FoldRecord]:
    """Return the records as if images whose label looks wrong had not validated.

    A fold without other images stays as it is.

    Args:
        records: Record of each file.
        path: counts.json of the stage inspect.

    Raises:
        InputError: If it has no counts of a run.
    """
    counts = {(run.model, run.repeat, run.fold): run for run in read_json(path, CheckedCounts).runs}
    checked = []
    for record in records.values():
        run = (record.model, record.repeat, record.fold)
        if run not in counts:
            name = "{} repeat {} fold {}".format(*run)
            raise InputError(f"{path}: {name} is missing; run 'dvc repro -f inspect' to count it")
        fold_counts = record.fold_counts and (counts[run].fold_counts or record.fold_counts)
        checked.append(record.model_copy(update={"fold_counts": fold_counts}))
    return checked


def require_fair_comparison(records: Mapping[str, FoldRecord], params: Params) -> None:
    """Raise an error unless all architectures were trained and validated on the same folds.

    Each record must belong to its file name and must not contradict itself. All must have the same
    budget. For each (repeat, fold), all architectures must have the same images, as their digests
    say, so that their scores are paired. The folds of a repeat must be parts of one data set.

    Args:
        records: Record of each file, in the order of `params.runs`.
        params: Models, repeats, folds, and the settings of compare.

    Raises:
        InputError: One line for the first record that does not fit.
    """
    runs = dict(zip(records, params.runs, strict=True))
    for file, record in records.items():
        for key, value in zip(RUN, (*runs[file], len(params.folds)), strict=True):
            fact = Fact(key, getattr(record, key), value, "params.yaml and the file name")
            _require(file, fact, retrain(runs[file]))
        for fact in facts_of_record(record):
            _require(file, fact, retrain(runs[file]))
        if params.compare.metric == "top_k":
            _require_more_classes(file, record, params.compare.top_k)
    for file, fact in facts_of_siblings(records, resplit=params.resplit):
        _require(file, fact, retrain(runs[file], runs[fact.source]))


def retrain(*runs: tuple[str, int, int]) -> str:
    """Return the remedy for wrong records: the command that trains these runs again."""
    stages = dict.fromkeys(f"train@{model}-{repeat}-{fold}" for model, repeat, fold in runs)
    return f"run 'dvc repro -f -s {' '.join(stages)}', then 'dvc repro'"


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
        parts = card.trainable_parameters + card.locked_parameters
        source = "trainable_parameters + locked_parameters"
        for fact in (
            Fact("name", card.name, name, "the name of its folder"),
            Fact("parameters", card.parameters, parts, source),
            Fact("input_shape", card.input_shape, cards[first].input_shape, files[first]),
        ):
            _require(files[name], fact, f"run 'dvc repro -f -s build@{name}', then 'dvc repro'")
        if card.classes != cards[first].classes:
            raise InputError(
                f"{files[name]}: classes differ from those in {files[first]}; run 'dvc repro' to "
                "build both for the same data"
            )
    for file, record in records.items():
        if counts := record.fold_counts:
            n_classes, source = len(cards[record.model].classes), files[record.model]
            fact = Fact("fold_counts.n_classes", counts.n_classes, n_classes, source)
            _require(file, fact, retrain((record.model, record.repeat, record.fold)))


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
    return names and f"{folder}: records of other experiments cannot be chosen: {names}"


def _require(file: str, fact: Fact, remedy: str) -> None:
    if wrong := fact.first_mismatch():
        key, value, expected, source = wrong
        raise InputError(
            f"{file}: {key} is {shown(value)}, but {shown(expected)} according to {source}; "
            f"{remedy}"
        )


def _require_more_classes(file: str, record: FoldRecord, top_k: int) -> None:
    """Raise an error if the top-k accuracy would always be 1."""
    counts = record.fold_counts
    if counts and counts.n_classes <= top_k:
        raise InputError(
            f"params.yaml: compare.top_k is {top_k}, but {file} has {counts.n_classes} classes, so "
            f"every score would be 1; set compare.top_k to less than {counts.n_classes}, or "
            "compare.metric to accuracy"
        )
