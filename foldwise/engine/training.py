"""Open a fold, train a network on it, and record the result."""

import random
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from foldwise.core.errors import InputError
from foldwise.core.machine import peak_memory_bytes
from foldwise.data.folds import (
    draw_train_eval_subset,
    network_seed,
    training_indices,
    validation_indices,
)
from foldwise.data.mixing import require_unmixed
from foldwise.engine.hardware import Hardware, peak_gpu_bytes
from foldwise.engine.inputs import AugmentedImages, FeatureBatches, Fold, ImageBatches, Place
from foldwise.engine.optimiser import base_learning_rates, open_optimiser
from foldwise.engine.progress import SILENT, Progress
from foldwise.engine.scores import count_fold
from foldwise.engine.trainer import Trainer, TrainingResult
from foldwise.files.dataset import Dataset, DatasetInfo
from foldwise.files.features import Features
from foldwise.files.fold_record import (
    FoldCounts,
    FoldRecord,
    Predictions,
    Timing,
    no_predictions,
)
from foldwise.files.network import ChannelStatistics, Network
from foldwise.files.params import AugmentSection, TrainSection
from foldwise.files.split import Split
from foldwise.nets.network import construct, tail_module
from foldwise.nets.weights.tensors import TrainedOn


@dataclass(frozen=True)
class FoldResult:
    """Result of one fold.

    Attributes:
        record: Scores, learning curves, timing and machine; compare and report read it.
        predictions: Logits of the validation images; no rows if training diverged.
        weights: Trained tensors by name; None unless the network keeps them, and if training
            diverged.
    """

    record: FoldRecord
    predictions: Predictions
    weights: dict[str, Tensor] | None


def open_fold(
    data: tuple[Dataset, Split, AugmentSection],
    place: Place,
    network: Network,
    features: Features,
    device: torch.device,
) -> Fold:
    """Return one fold of a split, with the batches for a network.

    Args:
        data: Data set, split of this repeat, and augmentation of this repeat.
        place: Repeat and fold.
        network: Its own normalisation, if it has one, replaces the one of the fold.
        features: Cached features of the frozen part; `Features()` if there are none.
        device: Device of the batches.

    Raises:
        InputError: If the split has no such fold, or images with cached features are mixed.
    """
    dataset, split, recipe = data
    repeat, number = place
    if number not in range(split.n_folds):
        raise InputError(
            f"fold is {number}; the split has folds 0 to {split.n_folds - 1}: set folds in "
            "params.yaml and run 'dvc repro'"
        )
    training, validation = training_indices(split, number), validation_indices(split, number)
    seed = dataset.info.seed
    normalisation = network.normalisation or ChannelStatistics(
        mean=split.normalisation.mean[number], std=split.normalisation.std[number]
    )
    images = ImageBatches(dataset.images, normalisation.mean, normalisation.std, device)
    if features.views:
        require_unmixed(recipe, network.name)
    augmented = AugmentedImages(images, recipe, dataset.images.shape, seed, place)
    return Fold(
        repeat=repeat,
        number=number,
        n_folds=split.n_folds,
        seed=seed,
        training=training,
        train_eval_subset=draw_train_eval_subset(training, len(validation), seed, place),
        validation=validation,
        recipe=recipe,
        inputs=FeatureBatches(features, device) if features.views else augmented,
        labels=dataset.labels,
        weights=dataset.weights,
        normalisation=normalisation,
        train_digest=split.digests.train[number],
        validation_digest=split.digests.validation[number],
    )


def train_fold(
    network: Network,
    weights: dict[str, Tensor],
    fold: Fold,
    section: TrainSection,
    hardware: Hardware,
    progress: Progress = SILENT,
) -> FoldResult:
    """Construct a network, train it on one fold, and return scores, logits and weights.

    The same arguments give the same result in every process with the same number of threads.

    Args:
        network: Description of the network.
        weights: Its pretrained tensors by name; empty if it has none.
        fold: The data.
        section: How to train.
        hardware: Device, precision and threads, from `set_up`.
        progress: Receives steps and epochs.

    Example::

        dataset = read_dataset(Path("data/prepared"))
        split, recipe = read_split(Path("data/splits/0")), read_recipe(Path("data/augmented/0"))
        network = read_network(Path("data/models/lenet5"))
        hardware = set_up(HardwareSection(device="auto", precision="auto", threads=2))
        section = TrainSection(
            epochs=2, batch_size=64, learning_rate=0.002, weight_decay=0.05, warmup=0.25
        )
        data = dataset, split, recipe
        fold = open_fold(data, (0, 1), network, Features(), hardware.device)
        result = train_fold(network, {}, fold, section, hardware)
        print(result.record.accuracy)
    """
    start = time.perf_counter()
    trainer, state = open_trainer(network, weights, fold, section, hardware)
    result = trainer.fit(progress)
    seconds = time.perf_counter() - start
    record = FoldRecord(
        model=network.name,
        repeat=fold.repeat,
        fold=fold.number,
        n_folds=fold.n_folds,
        status="diverged" if result.diverged else "finished",
        reason=result.diverged,
        n_train=len(fold.training),
        n_validation=len(fold.validation),
        train_digest=fold.train_digest,
        validation_digest=fold.validation_digest,
        epochs=section.epochs,
        batch_size=section.batch_size,
        curves=result.curves,
        fold_counts=_fold_counts(fold, result),
        best_epoch=result.best_epoch,
        timing=_timing(result, hardware, len(fold.training), seconds),
        machine=hardware.describe(),
        version=network.version,
    )
    keeps_weights = network.keep_weights and result.diverged is None
    return FoldResult(record, _predictions(fold, result), state if keeps_weights else None)


def open_trainer(
    network: Network,
    weights: dict[str, Tensor],
    fold: Fold,
    section: TrainSection,
    hardware: Hardware,
) -> tuple[Trainer, dict[str, Tensor]]:
    """Return the trainer of a network, and the tensors that it changes in place, by name.

    Args:
        network: Description of the network.
        weights: Its pretrained tensors; all others are drawn at random.
        fold: The data; with cached features, only the layers behind them run.
        section: How to train.
        hardware: Device and precision.
    """
    seed = network_seed(fold.seed, network.name, fold.repeat, fold.number)
    torch.manual_seed(seed)
    random.seed(seed)  # an own network may draw from these two
    np.random.seed(seed % 2**32)
    module = hardware.place(construct(network, weights), contiguous=network.contiguous)
    state = module.state_dict()
    base_lrs = base_learning_rates(module, network, section)
    weight_decay = network.training.weight_decay
    if weight_decay is None:
        weight_decay = section.weight_decay
    optimiser = open_optimiser(module, base_lrs, weight_decay, section)
    if isinstance(fold.inputs, FeatureBatches) and network.cut:
        module = tail_module(module, network.cut)
    return Trainer(module, network, optimiser, fold, section, hardware), state


def trained_on(info: DatasetInfo, fold: Fold) -> TrainedOn:
    """Return the description of the data that is saved with the weights of a fold."""
    return TrainedOn(
        data=info.name,
        channels=info.channels,
        height=info.height,
        width=info.width,
        mean=fold.normalisation.mean,
        std=fold.normalisation.std,
    )


def _fold_counts(fold: Fold, result: TrainingResult) -> FoldCounts | None:
    if result.diverged or result.last is None:
        return None
    return count_fold(result.last, fold.labels[fold.validation], fold.validation)


def _predictions(fold: Fold, result: TrainingResult) -> Predictions:
    if result.diverged or result.last is None or result.best is None:
        return no_predictions()
    return Predictions(fold.validation, result.last, result.best)


def _timing(result: TrainingResult, hardware: Hardware, n_train: int, total: float) -> Timing:
    n_images = n_train * len(result.curves)
    return Timing(
        train_seconds=round(result.train_seconds, 3),
        evaluate_seconds=round(result.evaluate_seconds, 3),
        total_seconds=round(total, 3),
        images_per_second=round(n_images / result.train_seconds, 1) if n_images else 0.0,
        peak_memory_bytes=peak_memory_bytes(),
        peak_gpu_bytes=peak_gpu_bytes(hardware.device),
    )
