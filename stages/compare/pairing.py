"""Whether the records are those of one fair comparison."""

from collections.abc import Mapping, Sequence

from stages.compare.params import CompareParams
from stages.contracts.card import Card
from stages.contracts.command import InputError
from stages.contracts.fold_record import FoldRecord


def require_pairs(records: Mapping[str, FoldRecord], params: CompareParams) -> None:
    """Stop unless every record is of its place, and those of one fold saw the same data.

    For one (repeat, fold) all architectures trained and validated on equally many images, and all
    trained for equally many epochs: the differences pair.

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


def require_cards(cards: Mapping[str, Card], folder: str) -> None:
    """Stop unless every card is of the architecture whose folder holds it.

    Args:
        cards: By the name of the folder.
        folder: Where those folders are, as the user wrote it.

    Raises:
        InputError: One line for the first card that is not.
    """
    for name, card in cards.items():
        if card.name != name:
            raise InputError(
                f"{folder}/{name}/card.json: name is {card.name!r}; expected {name!r}, as its "
                "folder: delete the file and run 'dvc repro'"
            )


def _require_place(place: str, record: FoldRecord, run: tuple[str, int, int], k: int) -> None:
    keys = ("model", "repeat", "fold", "n_folds")
    for key, expected in zip(keys, (*run, k), strict=True):
        if (found := getattr(record, key)) != expected:
            raise InputError(
                f"{place}: {key} is {found!r}; expected {expected!r}, from params.yaml and the "
                "file's name: delete the file and run 'dvc repro'"
            )


def _require_scores(place: str, record: FoldRecord) -> None:
    scores = (record.accuracy, record.log_loss)
    if record.status == "finished" and (None in scores or len(record.curves) != record.epochs):
        raise InputError(
            f"{place}: status is 'finished', but a score or an epoch is missing: "
            "delete the file and run 'dvc repro'"
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
