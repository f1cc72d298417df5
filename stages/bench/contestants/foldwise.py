"""Foldwise: what the stage train runs, one fold after another."""

from stages.bench.case import REPEAT
from stages.bench.contestants.entry import Entry
from stages.contracts.features import Features
from stages.train.fold import open_fold
from stages.train.hardware import Hardware, set_up
from stages.train.session import train


def train_folds(entry: Entry) -> list[float]:
    """Train the folds and return the accuracy of each."""
    hardware = set_up(entry.hardware)
    return [_train(entry, fold, hardware) for fold in entry.folds]


def _train(entry: Entry, number: int, hardware: Hardware) -> float:
    none = Features(views=[], plain=None, dtype="float32")
    fold = open_fold(entry.data, (REPEAT, number), entry.network, none, hardware.device)
    result = train(entry.network, {}, fold, entry.section, hardware, None)
    if result.record.accuracy is None:
        raise ValueError(f"fold {number} diverged: {result.record.reason}")
    return result.record.accuracy
