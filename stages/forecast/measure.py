"""How fast a network trains here: steps of a real fold, on images made up."""

import numpy as np
import torch

from stages.contracts.command import InputError
from stages.contracts.dataset import DatasetInfo
from stages.contracts.network import Network
from stages.extract.compute import BATCH
from stages.extract.plan import obstacle
from stages.forecast.body import Body
from stages.forecast.clock import Run, images_per_second
from stages.forecast.made_up import fold, noise, views
from stages.forecast.pace import Pace
from stages.forecast.params import TimingParams
from stages.train.features import FeatureViews
from stages.train.fit import Trainer
from stages.train.fold import Inputs
from stages.train.hardware import Hardware
from stages.train.session import open_trainer

STEPS = 1000  # of a training that is never finished
EPOCH = 1  # of its views: all take the same time


def measure(network: Network, info: DatasetInfo, params: TimingParams, hardware: Hardware) -> Pace:
    """Return the pace of a network on images of this shape.

    Its weights are fresh, whatever network.json names: they change no time.

    Args:
        network: Frozen, thawed and cut as it will be.
        info: Of the data set.
        params: How it trains, and for how long to look.
        hardware: Where it trains, set up.

    Raises:
        InputError: If the memory of the device is too small for one step.
    """
    try:
        return _measure(network, info, params, hardware)
    except torch.OutOfMemoryError:
        raise InputError(
            f"{network.name}: a step of {params.train.batch_size} images is too large for the "
            "memory of the GPU; set train.batch_size to less, or choose another architecture"
        ) from None


def _measure(network: Network, info: DatasetInfo, params: TimingParams, hardware: Hardware) -> Pace:
    n_evaluated = 2 * params.train.batch_size  # a batch
    images = noise(info, max(n_evaluated, BATCH))
    body = None if obstacle(network) else Body(network, images, hardware)
    if body is not None and not body.is_kept(info.n_train, params.extract):
        body = None
    inputs: Inputs = (
        FeatureViews(body.features(), hardware.device) if body else views(images, network, hardware)
    )
    trainer, _ = open_trainer(network, {}, fold(images, network, inputs), params.train, hardware)
    epochs = _turns(network, params.train.epochs)
    seconds = params.forecast.seconds / (len(epochs) + (2 if body else 1))
    training = {}
    for epoch in epochs:
        trainer.begin(epoch)
        step = _step(trainer, hardware)
        training[epoch] = images_per_second(step, params.train.batch_size, seconds)
    evaluation = images_per_second(lambda n: trainer.logits(np.arange(n)), n_evaluated, seconds)
    if body is None:
        return Pace(training, evaluation)
    extraction = images_per_second(body.extract, BATCH, seconds)
    return Pace(training, evaluation, extraction, passes=1 + params.extract.views)


def _turns(network: Network, epochs: int) -> list[int]:
    """Return the epochs, counted from 1, from which another part of the network trains."""
    thawing = [thaw.at_epoch for thaw in network.thaw if thaw.at_epoch <= epochs]
    return sorted({1, *thawing})


def _step(trainer: Trainer, hardware: Hardware) -> Run:
    """Return one step of training, by its number of images."""

    def step(n: int) -> None:
        trainer.step(*trainer.batch(np.arange(n), EPOCH), 0, STEPS)
        hardware.wait()

    return step
