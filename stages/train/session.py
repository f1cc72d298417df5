"""One architecture trained on one fold, from the resolved network to its outcome."""

import torch
from torch import Tensor

from stages.build.network import construct
from stages.contracts.fold_record import FoldRecord
from stages.contracts.network import Network
from stages.train.fit import Outcome, Trainer
from stages.train.fold import Fold
from stages.train.hardware import Hardware
from stages.train.params import TrainSection
from stages.train.progress import Bar
from stages.train.streams import seed_network


def train(
    spec: Network,
    weights: dict[str, Tensor],
    fold: Fold,
    section: TrainSection,
    hardware: Hardware,
) -> Outcome:
    """Make the network, train it on the fold with a bar, and return how it went.

    Args:
        spec: The resolved network.
        weights: Its pretrained part; empty if there is none.
        fold: The data.
        section: The budget; what the network overrides is taken from its spec.
        hardware: Where to train.
    """
    overrides = spec.training.model_dump(exclude_none=True)
    budget = section.model_copy(update=overrides)
    seed_network(fold.seed, spec.name, fold.repeat, fold.number)
    network = construct(spec, weights).to(hardware.device).to(memory_format=torch.channels_last)
    trainer = Trainer(network, spec.frozen, fold, budget, hardware)
    bar = Bar(_title(spec.name, fold), budget.epochs * len(fold.training), budget.epochs)
    try:
        return trainer.fit(bar)
    finally:
        bar.close()


def summary(record: FoldRecord) -> str:
    """Return the one line in which train says how it went, without a full stop."""
    place = f"{record.model} repeat {record.repeat} fold {record.fold}"
    if record.accuracy is None:
        return f"{place}, diverged: {record.reason}"
    speed = f"{record.timing.images_per_second:,.0f} images/s"
    return f"{place}, {100 * record.accuracy:.2f} % of validation images right, {speed}"


def _title(model: str, fold: Fold) -> str:
    return f"{model} repeat {fold.repeat} fold {fold.number + 1} of {fold.n_folds}"
