"""Images a second of something that runs on batches."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch

from foldwise.core.errors import InputError
from foldwise.engine.extract import BATCH, FeatureExtractor, as_array
from foldwise.engine.fold import Inputs
from foldwise.engine.hardware import Hardware
from foldwise.engine.inputs import FeatureBatches
from foldwise.engine.trainer import Trainer
from foldwise.engine.training import open_trainer
from foldwise.files.dataset import Dataset, DatasetInfo
from foldwise.files.features import Features, why_no_features, why_too_large
from foldwise.files.network import Network
from foldwise.files.params import ExtractSection, TimingParams
from foldwise.nets.network import construct
from foldwise.plan.synthetic import (
    first_images,
    normalisation_of,
    random_dataset,
    random_fold,
    random_inputs,
    typical_recipe,
)

TimedBatch = Callable[
    [int], object
]  # computes a batch of so many images, and returns when it is done

FEWEST = 4  # images of the first batch
LEAST_BATCHES, MOST_BATCHES = 3, 20  # timed; of three a middle one is left, of many enough
LONGEST = 3.0  # times the seconds asked for, of one batch; a longer one is timed in part


def images_per_second(run: TimedBatch, largest: int, seconds: float) -> float:
    """Return the speed of a run on batches of the largest size, timed for about some seconds.

    The first run of each size counts only if it is slow: libraries choose their kernels then. A
    batch that would take much longer than the seconds is timed in part, and its time follows
    from a line through two sizes, since each batch has a part that its size does not change. The
    median counts: other work on the machine makes single batches many times slower.

    Args:
        run: What to time.
        largest: Images a batch.
        seconds: For which to time, more or less; at least one batch.
    """
    few = min(FEWEST, largest)
    run(few)
    short = _timed(run, few)
    size = max(few, min(largest, int(few * LONGEST * seconds / short)))
    times = [_timed(run, size)]
    if times[0] < seconds:
        times = list(_batches(run, size, seconds))
    return largest / _on_line((few, short), (size, median(times)), largest)


def _on_line(first: tuple[int, float], second: tuple[int, float], size: int) -> float:
    """Return the seconds of a size on the line through two points of size and seconds.

    The line neither falls nor meets the axis below 0: clocks err.
    """
    (few, short), (many, long) = first, second
    if many == few:
        return long * size / many
    slope = min(max((long - short) / (many - few), 0.0), long / many)
    return long + slope * (size - many)


def _batches(run: TimedBatch, size: int, seconds: float) -> Iterator[float]:
    """Yield the times of batches until they take some seconds together."""
    spent = 0.0
    for number in range(MOST_BATCHES):
        if number >= LEAST_BATCHES and spent >= seconds:
            return
        time_of_one = _timed(run, size)
        spent += time_of_one
        yield time_of_one


def _timed(run: TimedBatch, size: int) -> float:
    start = time.perf_counter()
    run(size)
    return time.perf_counter() - start


# Of a process, whatever its network. Measured on two cores: 1.8 to 2.0 s to start and leave Python,
# most of it for torch; .2 to .3 s more of the first step; .2 to .4 s of DVC.
START_SECONDS = 2.5


@dataclass(frozen=True)
class Throughput:
    """The speed of one network on some hardware, in images a second.

    Attributes:
        training: By the epoch, counted from 1, from which it holds: what thaws slows it down.
        evaluation: Of images as they are.
        extraction: Of the part that never trains, once for all folds and epochs; infinite where
            nothing of the network is kept.
        passes: Of extraction over the images, as they are and in each augmented view; else 0.
    """

    training: dict[int, float]
    evaluation: float
    extraction: float = math.inf
    passes: int = 0

    def extract_seconds(self, n_images: int) -> float:
        """Return the seconds of the part that never trains, once for all folds and repeats."""
        if not self.passes:
            return 0.0
        return START_SECONDS + self.passes * n_images / self.extraction

    def fold_seconds(self, n_images: int, n_folds: int, epochs: int) -> float:
        """Return the seconds of one fold, with the start of its process.

        Args:
            n_images: Of the data set, all folds together.
            n_folds: k.
            epochs: Of training.
        """
        n_validation = n_images / n_folds
        n_train = n_images - n_validation
        n_evaluated = n_validation + min(n_validation, n_train)  # as many training images
        trained = sum(n_train / self.speed_at(epoch) for epoch in range(1, epochs + 1))
        return START_SECONDS + trained + epochs * n_evaluated / self.evaluation

    def speed_at(self, epoch: int) -> float:
        """Return the images a second of training in an epoch, counted from 1."""
        return self.training[max(start for start in self.training if start <= epoch)]


class FrozenBackbone:
    """Runs once for all folds and epochs."""

    def __init__(self, network: Network, images: Dataset, hardware: Hardware) -> None:
        """Make the network.

        Args:
            network: With a cut.
            images: That go through it.
            hardware: Where.
        """
        self._network, self._images, self._hardware = network, images, hardware
        self._module = construct(network, {})
        self._one = self._extractor(1).probe()

    def extract(self, n: int) -> None:
        """Run on n augmented images."""
        extractor = self._extractor(n)
        for _ in extractor.view(0, typical_recipe(self._images.info)):
            pass

    def features(self) -> Features:
        """Return features of all the images; of none of them the real ones."""
        one = as_array(self._one)
        array = np.repeat(one, self._images.info.n_train, axis=0)
        is_half = self._one.dtype == torch.bfloat16
        return Features("bfloat16" if is_half else "float32", array, [array])

    def is_kept(self, n_images: int, section: ExtractSection) -> bool:
        """Return whether the features of so many images are small enough."""
        n_bytes = self._one.numel() * self._one.element_size() * n_images * (1 + section.views)
        return why_too_large(n_bytes, section) is None

    def _extractor(self, n: int) -> FeatureExtractor:
        cut = self._network.cut
        assert cut is not None
        given = normalisation_of(self._network)
        return FeatureExtractor(
            self._module, cut, first_images(self._images, n), given, self._hardware
        )


STEPS = 1000  # of a training that is never finished
EPOCH = 1  # of its views: all take the same time


def measure_throughput(
    network: Network, info: DatasetInfo, params: TimingParams, hardware: Hardware
) -> Throughput:
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


def _measure(
    network: Network, info: DatasetInfo, params: TimingParams, hardware: Hardware
) -> Throughput:
    n_evaluated = 2 * params.train.batch_size  # a batch
    images = random_dataset(info, max(n_evaluated, BATCH))
    body = None if why_no_features(network) else FrozenBackbone(network, images, hardware)
    if body is not None and not body.is_kept(info.n_train, params.extract):
        body = None
    inputs: Inputs = (
        FeatureBatches(body.features(), hardware.device)
        if body
        else random_inputs(images, network, hardware)
    )
    trainer, _ = open_trainer(
        network, {}, random_fold(images, network, inputs), params.train, hardware
    )
    epochs = _turns(network, params.train.epochs)
    seconds = params.forecast.seconds / (len(epochs) + (2 if body else 1))
    training = {}
    for epoch in epochs:
        trainer.begin(epoch)
        step = _step(trainer, hardware)
        training[epoch] = images_per_second(step, params.train.batch_size, seconds)
    evaluation = images_per_second(lambda n: trainer.logits(np.arange(n)), n_evaluated, seconds)
    if body is None:
        return Throughput(training, evaluation)
    extraction = images_per_second(body.extract, BATCH, seconds)
    return Throughput(training, evaluation, extraction, passes=1 + params.extract.views)


def _turns(network: Network, epochs: int) -> list[int]:
    """Return the epochs, counted from 1, from which another part of the network trains."""
    thawing = [thaw.at_epoch for thaw in network.thaw if thaw.at_epoch <= epochs]
    return sorted({1, *thawing})


def _step(trainer: Trainer, hardware: Hardware) -> TimedBatch:
    """Return one step of training, by its number of images."""

    def step(n: int) -> None:
        trainer.step(*trainer.batch(np.arange(n), EPOCH), 0, STEPS)
        hardware.wait()

    return step
