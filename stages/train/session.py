"""One architecture trained on one fold, from the resolved network to what is written of it."""

import time
from dataclasses import dataclass

from torch import Tensor, nn

from stages.build.cut import behind
from stages.build.network import construct
from stages.contracts.fold_record import FoldRecord
from stages.contracts.network import Network
from stages.contracts.predictions import Predictions
from stages.train.features import FeatureViews
from stages.train.fit import Trainer
from stages.train.fold import Fold
from stages.train.hardware import Hardware
from stages.train.optimiser import AdamW
from stages.train.params import TrainSection
from stages.train.progress import Bar
from stages.train.rates import peaks
from stages.train.record import fold_record, predictions
from stages.train.streams import seed_network


@dataclass(frozen=True)
class Result:
    """What one fold gave.

    Attributes:
        record: For compare and report.
        predictions: Logits of the validation images.
        weights: What was trained, by name; None if nobody asked or training diverged.
    """

    record: FoldRecord
    predictions: Predictions
    weights: dict[str, Tensor] | None


def train(
    network: Network,
    weights: dict[str, Tensor],
    fold: Fold,
    section: TrainSection,
    hardware: Hardware,
    following: float | None,
) -> Result:
    """Make the network, train it on the fold with a bar, and return what is written of it.

    Args:
        network: The resolved network.
        weights: Its pretrained part; empty if there is none.
        fold: The data.
        section: The budget for all.
        hardware: Where to train.
        following: Seconds of the training that may follow, to be shown; None: unknown.
    """
    start = time.perf_counter()
    seed_network(fold.seed, network.name, fold.repeat, fold.number)
    trainer, state = open_trainer(network, weights, fold, section, hardware)
    n_images = section.epochs * len(fold.training)
    bar = Bar(_title(network.name, fold), n_images, section.epochs, following)
    try:
        outcome = trainer.fit(bar)
    finally:
        bar.close()
    seconds = time.perf_counter() - start
    record = fold_record(network.name, fold, outcome, hardware, section, seconds)
    kept = state if network.keep_weights and outcome.diverged is None else None
    return Result(record, predictions(fold, outcome), kept)


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
    has_features = isinstance(fold.inputs, FeatureViews)
    module = behind(whole, network.cut) if has_features and network.cut else whole
    return Trainer(module, network, optimiser, fold, section, hardware), state


def _optimiser(module: nn.Module, network: Network, section: TrainSection) -> AdamW:
    rates, own = peaks(module, network, section), network.training.weight_decay
    parameters = [(one, rates[name]) for name, one in module.named_parameters() if name in rates]
    return AdamW(parameters, section.weight_decay if own is None else own)


def summary(record: FoldRecord) -> str:
    """Return the one line in which train says how it went, without a full stop."""
    place = f"{record.model} repeat {record.repeat} fold {record.fold}"
    if record.accuracy is None:
        return f"{place}, diverged: {record.reason}"
    speed = f"{record.timing.images_per_second:,.0f} images/s"
    return f"{place}, {100 * record.accuracy:.2f} % of validation images right, {speed}"


def _title(model: str, fold: Fold) -> str:
    return f"{model} repeat {fold.repeat} fold {fold.number + 1} of {fold.n_folds}"
