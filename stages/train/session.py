"""One architecture trained on one fold, from the resolved network to what is written of it."""

import time

import torch
from torch import Tensor

from stages.build.network import construct
from stages.contracts.fold_record import FoldRecord
from stages.contracts.network import Network
from stages.contracts.predictions import Predictions
from stages.train.fit import Trainer
from stages.train.fold import Fold
from stages.train.hardware import Hardware
from stages.train.params import TrainSection
from stages.train.progress import Bar
from stages.train.record import fold_record, predictions
from stages.train.streams import seed_network


def train(
    spec: Network,
    weights: dict[str, Tensor],
    fold: Fold,
    section: TrainSection,
    hardware: Hardware,
) -> tuple[FoldRecord, Predictions]:
    """Make the network, train it on the fold with a bar, and return what is written of it.

    Args:
        spec: The resolved network.
        weights: Its pretrained part; empty if there is none.
        fold: The data.
        section: The budget; what the network overrides is taken from its spec.
        hardware: Where to train.
    """
    start = time.perf_counter()
    overrides = spec.training.model_dump(exclude_none=True)
    budget = section.model_copy(update=overrides)
    seed_network(fold.seed, spec.name, fold.repeat, fold.number)
    network = construct(spec, weights).to(hardware.device).to(memory_format=torch.channels_last)
    trainer = Trainer(network, spec.frozen, fold, budget, hardware)
    bar = Bar(_title(spec.name, fold), budget.epochs * len(fold.training), budget.epochs)
    try:
        outcome = trainer.fit(bar)
    finally:
        bar.close()
    seconds = time.perf_counter() - start
    record = fold_record(spec.name, fold, outcome, hardware, budget.epochs, seconds)
    return record, predictions(fold, outcome)


def summary(record: FoldRecord) -> str:
    """Return the one line in which train says how it went, without a full stop."""
    place = f"{record.model} repeat {record.repeat} fold {record.fold}"
    if record.accuracy is None:
        return f"{place}, diverged: {record.reason}"
    speed = f"{record.timing.images_per_second:,.0f} images/s"
    return f"{place}, {100 * record.accuracy:.2f} % of validation images right, {speed}"


def _title(model: str, fold: Fold) -> str:
    return f"{model} repeat {fold.repeat} fold {fold.number + 1} of {fold.n_folds}"
