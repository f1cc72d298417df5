"""What is written of one fold, from how training went."""

import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from foldwise.core.machine import peak_memory_bytes
from foldwise.data.folds import network_seed
from foldwise.engine.fold import Fold
from foldwise.engine.hardware import Hardware, peak_gpu_bytes
from foldwise.engine.inputs import FeatureBatches
from foldwise.engine.optimiser import AdamW, base_learning_rates
from foldwise.engine.scores import count_fold
from foldwise.engine.trainer import SILENT, Progress, Trainer, TrainingOutcome
from foldwise.files.dataset import DatasetInfo
from foldwise.files.fold_record import FoldCounts, FoldRecord, Predictions, Timing
from foldwise.files.network import Network
from foldwise.files.params import TrainSection
from foldwise.nets.network import construct, tail_module
from foldwise.nets.weights.tensors import TrainedOn


def fold_record(
    model: str,
    fold: Fold,
    outcome: TrainingOutcome,
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
        train_digest=fold.train_digest,
        validation_digest=fold.validation_digest,
        epochs=section.epochs,
        batch_size=section.batch_size,
        curves=outcome.curves,
        fold_counts=_fold_counts(fold, outcome),
        best_epoch=outcome.best_epoch,
        timing=_timing(outcome, hardware, len(fold.training), seconds),
        machine=hardware.describe(),
    )


def predictions(fold: Fold, outcome: TrainingOutcome) -> Predictions:
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


def _fold_counts(fold: Fold, outcome: TrainingOutcome) -> FoldCounts | None:
    if outcome.diverged or outcome.last is None:
        return None
    return count_fold(outcome.last, fold.labels[fold.validation], fold.validation)


def _timing(outcome: TrainingOutcome, hardware: Hardware, n_train: int, total: float) -> Timing:
    n_images = n_train * len(outcome.curves)
    return Timing(
        train_seconds=round(outcome.train_seconds, 3),
        evaluate_seconds=round(outcome.evaluate_seconds, 3),
        total_seconds=round(total, 3),
        images_per_second=round(n_images / outcome.train_seconds, 1) if n_images else 0.0,
        peak_memory_bytes=peak_memory_bytes(),
        peak_gpu_bytes=peak_gpu_bytes(hardware.device),
    )


@dataclass(frozen=True)
class FoldResult:
    """What one fold gave.

    Attributes:
        record: For compare and report.
        predictions: Logits of the validation images.
        weights: What was trained, by name; None if nobody asked or training diverged.
    """

    record: FoldRecord
    predictions: Predictions
    weights: dict[str, Tensor] | None


def train_fold(
    network: Network,
    weights: dict[str, Tensor],
    fold: Fold,
    section: TrainSection,
    hardware: Hardware,
    progress: Progress = SILENT,
) -> FoldResult:
    """Make the network, train it on the fold, and return what is written of it.

    Args:
        network: The resolved network.
        weights: Its pretrained part; empty if there is none.
        fold: The data.
        section: The budget for all.
        hardware: Where to train.
        progress: Is told how training goes.
    """
    start = time.perf_counter()
    torch.manual_seed(network_seed(fold.seed, network.name, fold.repeat, fold.number))
    trainer, state = open_trainer(network, weights, fold, section, hardware)
    outcome = trainer.fit(progress)
    seconds = time.perf_counter() - start
    record = fold_record(network.name, fold, outcome, hardware, section, seconds)
    kept = state if network.keep_weights and outcome.diverged is None else None
    return FoldResult(record, predictions(fold, outcome), kept)


def open_trainer(
    network: Network,
    weights: dict[str, Tensor],
    fold: Fold,
    section: TrainSection,
    hardware: Hardware,
) -> tuple[Trainer, dict[str, Tensor]]:
    """Return what trains a network, and the tensors that it changes in place, by name.

    Args:
        network: The resolved network.
        weights: Its pretrained part; what else it has is drawn from torch's global generator.
        fold: The data; with features, only the part behind them trains.
        section: The budget for all.
        hardware: Where to train.
    """
    whole = hardware.place(construct(network, weights))
    state = whole.state_dict()
    optimiser = _optimiser(whole, network, section)
    has_features = isinstance(fold.inputs, FeatureBatches)
    module = tail_module(whole, network.cut) if has_features and network.cut else whole
    return Trainer(module, network, optimiser, fold, section, hardware), state


def _optimiser(module: nn.Module, network: Network, section: TrainSection) -> AdamW:
    rates, own = base_learning_rates(module, network, section), network.training.weight_decay
    parameters = [(one, rates[name]) for name, one in module.named_parameters() if name in rates]
    return AdamW(parameters, section.weight_decay if own is None else own)
