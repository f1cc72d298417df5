"""Foldwise: the code of the stage train, one fold after another."""

from benchmarks.case import REPEAT
from benchmarks.contestants.entry import Entry
from foldwise.engine.hardware import Hardware, set_up
from foldwise.engine.training import open_fold, train_fold
from foldwise.files.features import Features


def train_folds(entry: Entry) -> list[float]:
    """Train the folds and return the accuracy of each."""
    hardware = set_up(entry.hardware)
    return [_train(entry, fold, hardware) for fold in entry.folds]


def _train(entry: Entry, number: int, hardware: Hardware) -> float:
    no_features = Features(views=[], plain=None, dtype="float32")
    fold = open_fold(entry.data, (REPEAT, number), entry.network, no_features, hardware.device)
    result = train_fold(entry.network, {}, fold, entry.section, hardware)
    if result.record.accuracy is None:
        raise ValueError(f"fold {number} diverged: {result.record.reason}")
    return result.record.accuracy
