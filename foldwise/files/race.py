"""The race: the first fold, how each architecture stands after it, and which folds train.

reports/first/NAME.json is the record of the first fold, in git, so that the race needs no data.
data/first/NAME holds it too, with all that its training wrote. data/race/NAME/R-F.json says whether
a fold trains.
"""

import hashlib
import shutil
from pathlib import Path

from foldwise.files.base import NonNegative, Strict, read_json, write_json
from foldwise.files.fold_record import FoldRecord, read_record, write_record

RECORD = "record.json"


class FirstFold(Strict):
    """reports/first/NAME.json."""

    record: FoldRecord | None  # None: there is no race


class Standing(Strict):
    """How an architecture stands after the first fold; differences are in the metric."""

    model: str
    goes_on: bool  # False: no other fold trains
    score: float | None  # of the first fold; None: it diverged
    shortfall: NonNegative | None  # best score − this score; None: it diverged
    least: float | None  # lower end of the interval of the shortfall; None: it diverged
    reason: str  # why it is stopped, one clause; empty: it goes on


class FoldDecision(Strict):
    """data/race/NAME/R-F.json: the same for all folds that train, so that these train only once."""

    trained: str | None = None  # of the first fold: digest of its record, with which it is kept
    first: FoldRecord | None = None  # of a fold that is left out: the record of the first fold
    reason: str = ""  # why it is left out


def write_first(path: Path, folder: Path, record: FoldRecord | None) -> None:
    """Write reports/first/NAME.json, and the record to data/first/NAME."""
    write_json(folder / "first.json", {"trained": record is not None})
    if record:
        write_record(folder / RECORD, record)
    write_json(path, FirstFold(record=record))


def read_first(path: Path) -> FoldRecord | None:
    """Read reports/first/NAME.json; None: there is no race."""
    return read_json(path, FirstFold).record


def digest_record(record: FoldRecord) -> str:
    """Return a digest of a record, its timing included: no other training has it."""
    return hashlib.sha256(record.model_dump_json().encode()).hexdigest()


def copy_first(folder: Path, digest: str, target: Path) -> FoldRecord | None:
    """Copy what the training of the first fold wrote; return its record.

    Args:
        folder: data/first/NAME.
        digest: Of its record.
        target: Where the other folds have their predictions and weights.

    Returns:
        None, and nothing is copied, if the folder holds no training with this record.
    """
    record = read_record(folder / RECORD) if (folder / RECORD).is_file() else None
    if record is None or digest_record(record) != digest:
        return None
    target.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.suffix != ".json":
            shutil.copyfile(path, target / path.name)
    return record


def write_decision(path: Path, decision: FoldDecision) -> None:
    """Write data/race/NAME/R-F.json."""
    write_json(path, decision)


def is_settled(folder: Path, stage: str) -> bool:
    """Return whether a stage train@NAME-R-F need not train.

    Args:
        folder: data/race.
        stage: Its name.
    """
    model, repeat, fold = stage.partition("@")[2].split("-")
    return read_decision(folder / model / f"{repeat}-{fold}.json") != FoldDecision()


def read_decision(path: Path) -> FoldDecision:
    """Read data/race/NAME/R-F.json."""
    return read_json(path, FoldDecision)
