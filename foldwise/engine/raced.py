"""The folds that a race has settled: the first one, and those that it leaves out; no torch."""

from pathlib import Path

from foldwise.data.folds import training_indices, validation_indices
from foldwise.files.fold_record import FoldRecord, Timing, no_predictions, write_predictions
from foldwise.files.race import copy_first, read_decision
from foldwise.files.split import Split, read_split


def settle(
    race: Path, split: Path, place: tuple[int, int], first: Path, predictions: Path
) -> FoldRecord | None:
    """Return the record of a fold that need not train, and write its predictions; else None.

    Args:
        race: File of the decision for this fold.
        split: Folder of the split of the repeat.
        place: Repeat and fold.
        first: What the training of the first fold wrote.
        predictions: Folder of the predictions of this fold.
    """
    decision = read_decision(race)
    if decision.trained:
        return copy_first(first, decision.trained, predictions)
    if decision.first is None:
        return None
    write_predictions(predictions, no_predictions())
    return stopped_record(decision.first, read_split(split), place, decision.reason)


def stopped_record(
    first: FoldRecord, split: Split, place: tuple[int, int], reason: str
) -> FoldRecord:
    """Return the record of a fold that is left out.

    Args:
        first: Record of the first fold of the same architecture.
        split: The folds of the repeat.
        place: Repeat and fold.
        reason: Why it is left out.
    """
    repeat, number = place
    timing = Timing(
        train_seconds=0.0,
        evaluate_seconds=0.0,
        total_seconds=0.0,
        images_per_second=0.0,
        peak_memory_bytes=0,
        peak_gpu_bytes=None if first.timing.peak_gpu_bytes is None else 0,
    )
    return first.model_copy(
        update={
            "repeat": repeat,
            "fold": number,
            "status": "stopped",
            "reason": reason,
            "n_train": len(training_indices(split, number)),
            "n_validation": len(validation_indices(split, number)),
            "train_digest": split.digests.train[number],
            "validation_digest": split.digests.validation[number],
            "curves": [],
            "fold_counts": None,
            "best_epoch": None,
            "timing": timing,
        }
    )
