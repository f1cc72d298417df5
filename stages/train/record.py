"""What is written of one fold, from how training went."""

import numpy as np

from stages.contracts.dataset import DatasetInfo
from stages.contracts.fold_record import FoldRecord, Tally, Timing
from stages.contracts.predictions import Predictions
from stages.contracts.weights import TrainedOn
from stages.train.fit import Outcome
from stages.train.fold import Fold
from stages.train.hardware import Hardware
from stages.train.memory import peak_gpu_bytes, peak_memory_bytes
from stages.train.params import TrainSection
from stages.train.score import tally


def fold_record(
    model: str,
    fold: Fold,
    outcome: Outcome,
    hardware: Hardware,
    section: TrainSection,
    seconds: float,
) -> FoldRecord:
    """Return the record; of training that diverged it holds the curves and no score.

    Args:
        model: Name of the architecture.
        fold: What it trained on.
        outcome: How it went.
        hardware: Where.
        section: The budget.
        seconds: From the fresh network to its last score.
    """
    return FoldRecord(
        model=model,
        repeat=fold.repeat,
        fold=fold.number,
        n_folds=fold.n_folds,
        status="diverged" if outcome.diverged else "finished",
        reason=outcome.diverged,
        n_train=len(fold.training),
        n_validation=len(fold.validation),
        epochs=section.epochs,
        batch_size=section.batch_size,
        curves=outcome.curves,
        tally=_tally(fold, outcome),
        best_epoch=outcome.best_epoch,
        timing=_timing(outcome, hardware, len(fold.training), seconds),
        machine=hardware.describe(),
    )


def predictions(fold: Fold, outcome: Outcome) -> Predictions:
    """Return the logits of the validation images; no rows if training diverged."""
    if outcome.diverged or outcome.last is None or outcome.best is None:
        none = np.empty((0, 0), dtype=np.float32)
        return Predictions(np.empty(0, dtype=np.int64), none, none)
    return Predictions(fold.validation, outcome.last, outcome.best)


def trained_on(info: DatasetInfo, fold: Fold) -> TrainedOn:
    """Return what the weights of a fold know."""
    return TrainedOn(
        data=info.name,
        channels=info.channels,
        height=info.height,
        width=info.width,
        mean=fold.normalisation.mean,
        std=fold.normalisation.std,
    )


def _tally(fold: Fold, outcome: Outcome) -> Tally | None:
    if outcome.diverged or outcome.last is None:
        return None
    return tally(outcome.last, fold.labels[fold.validation], fold.validation)


def _timing(outcome: Outcome, hardware: Hardware, n_train: int, total: float) -> Timing:
    n_images = n_train * len(outcome.curves)
    return Timing(
        train_seconds=round(outcome.train_seconds, 3),
        evaluate_seconds=round(outcome.evaluate_seconds, 3),
        total_seconds=round(total, 3),
        images_per_second=round(n_images / outcome.train_seconds, 1) if n_images else 0.0,
        peak_memory_bytes=peak_memory_bytes(),
        peak_gpu_bytes=peak_gpu_bytes(hardware.device),
    )
