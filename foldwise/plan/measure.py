"""How fast a network trains here: steps of a real fold, on random images."""

import time
from collections.abc import Callable
from statistics import median

import numpy as np
import torch

from foldwise.core.errors import InputError
from foldwise.data.augment import OF_BATCHES, is_identity
from foldwise.engine.extract import BATCH, FeatureExtractor, as_array, why_too_large
from foldwise.engine.hardware import Hardware
from foldwise.engine.inputs import Fold
from foldwise.engine.trainer import Trainer
from foldwise.engine.training import open_fold, open_trainer
from foldwise.files.dataset import Dataset, DatasetInfo
from foldwise.files.features import Features, why_no_features
from foldwise.files.network import Network
from foldwise.files.params import AugmentSection, ExtractSection, Params
from foldwise.files.split import FoldDigests, Normalisation, Split
from foldwise.files.tuning import rate_of_params
from foldwise.nets.network import construct
from foldwise.plan.forecast import Throughput

TimedBatch = Callable[[int], object]  # computes a batch of n images and waits for the device

FIRST_BATCH = 4  # images
MIN_BATCHES, MAX_BATCHES = 3, 20  # timed: three have a median, more than twenty are not needed
MAX_BATCH_SHARE = 3.0  # times the given seconds, of one batch; a slower batch is timed in part
N_STEPS = 1000  # of a training that is never finished
EPOCH = 1  # whose augmentation is drawn: all epochs take the same time
SEED = 0


def measure_throughput(
    network: Network, info: DatasetInfo, params: Params, hardware: Hardware
) -> Throughput:
    """Return the speed of a network on images of this shape.

    Its weights are fresh, whatever network.json names: weights do not change the time.

    Args:
        network: With its frozen layers and its cut.
        info: Of the data set.
        params: How it trains, and for how long to measure.
        hardware: Where it trains, set up.

    Raises:
        InputError: If the memory of the GPU is too small for one step.
    """
    try:
        return _measure(network, info, params, hardware)
    except torch.OutOfMemoryError:
        raise InputError(
            f"{network.name}: a step of {params.train.batch_size} images is too large for the "
            "memory of the GPU; set train.batch_size to less, or choose another architecture"
        ) from None


def images_per_second(run: TimedBatch, batch_size: int, seconds: float) -> float:
    """Return the speed of `run` on batches, measured for about the given seconds.

    The first run of each size counts only if it is slow, because libraries choose their kernels
    then. A batch that would take much longer than `seconds` is timed in part; its time follows
    from a line through two sizes, since each batch has a constant part. The median counts, because
    other work on the machine makes single batches many times slower.

    Args:
        run: What to time.
        batch_size: Images per batch.
        seconds: For which to measure, roughly; at least one batch.
    """
    small = min(FIRST_BATCH, batch_size)
    run(small)
    small_seconds = _time(run, small)
    affordable = int(small * MAX_BATCH_SHARE * seconds / small_seconds)
    size = max(small, min(batch_size, affordable))
    times = [_time(run, size)]
    if times[0] < seconds:
        times = [_time(run, size) for _ in range(MIN_BATCHES)]
        while sum(times) < seconds and len(times) < MAX_BATCHES:
            times.append(_time(run, size))
    return batch_size / _extrapolate((small, small_seconds), (size, median(times)), batch_size)


def _measure(network: Network, info: DatasetInfo, params: Params, hardware: Hardware) -> Throughput:
    # Mixing takes next to no time, and extraction rejects it, with the remedy.
    recipe = params.augment.model_copy(update=dict.fromkeys(OF_BATCHES, 0.0))
    n_evaluated = 2 * params.train.batch_size  # images of an evaluated batch
    images = random_dataset(info, max(n_evaluated, BATCH))
    backbone = None
    if why_no_features(network) is None:
        backbone = _FrozenBackbone(network, (images, recipe), params.extract, hardware)
        if not backbone.fits(info.n_train):
            backbone = None
    features = backbone.features() if backbone else Features()
    fold = _random_fold((images, recipe), network, features, hardware.device)
    trainer, _ = open_trainer(network, {}, fold, params.train, hardware)
    starts = {1, *(thaw.at_epoch for thaw in network.thaw if thaw.at_epoch <= params.train.epochs)}
    seconds = params.forecast.seconds / (len(starts) + (2 if backbone else 1))
    training = {}
    for epoch in sorted(starts):
        trainer.begin(epoch)
        step = _training_step(trainer, hardware)
        training[epoch] = images_per_second(step, params.train.batch_size, seconds)
    evaluation = images_per_second(lambda n: trainer.logits(np.arange(n)), n_evaluated, seconds)
    tunes = rate_of_params(network, params.train) is None
    if backbone is None:
        return Throughput(training, evaluation, tunes=tunes)
    extraction = images_per_second(backbone.extract, BATCH, seconds)
    return Throughput(training, evaluation, extraction, 1 + backbone.n_views, tunes)


class _FrozenBackbone:
    """The layers that never train, which run once for all folds and epochs.

    Attributes:
        n_views: Augmented views of each image beside the plain one.
    """

    def __init__(
        self,
        network: Network,
        data: tuple[Dataset, AugmentSection],
        section: ExtractSection,
        hardware: Hardware,
    ) -> None:
        (self._images, self._recipe), self._section = data, section
        self._network, self._hardware = network, hardware
        is_plain = is_identity(self._recipe, network.height, network.width)
        self.n_views = 0 if is_plain else section.views
        self._module = construct(network, {})
        self._example = self._extractor(1).probe()  # features of one image

    def extract(self, n: int) -> None:
        """Compute the features of n images, augmented if the recipe says so."""
        extractor = self._extractor(n)
        for _ in extractor.view(0, self._recipe) if self.n_views else extractor.plain():
            pass

    def features(self) -> Features:
        """Return features for all images; their values do not matter here."""
        array = np.repeat(as_array(self._example), self._images.info.n_train, axis=0)
        is_half = self._example.dtype == torch.bfloat16
        return Features("bfloat16" if is_half else "float32", array, [array])

    def fits(self, n_images: int) -> bool:
        """Return whether the features of so many images are small enough to be cached."""
        example_bytes = self._example.numel() * self._example.element_size()
        return why_too_large(example_bytes * n_images * (1 + self.n_views), self._section) is None

    def _extractor(self, n: int) -> FeatureExtractor:
        assert self._network.cut is not None
        assert self._network.normalisation is not None
        info = self._images.info.model_copy(update={"n_train": n})
        images = Dataset(info, self._images.images[:n], self._images.labels[:n])
        return FeatureExtractor(
            self._module, self._network.cut, images, self._network.normalisation, self._hardware
        )


def _training_step(trainer: Trainer, hardware: Hardware) -> TimedBatch:
    def step(n: int) -> None:
        trainer.step(*trainer.batch(np.arange(n), EPOCH), 0, N_STEPS)
        hardware.wait()

    return step


def _extrapolate(small: tuple[int, float], large: tuple[int, float], size: int) -> float:
    """Return the seconds of a size on the line through two points (size, seconds).

    Clocks err, so the line may neither fall nor cross the axis below 0.
    """
    (few, few_seconds), (many, many_seconds) = small, large
    if many == few:
        return many_seconds * size / many
    slope = min(max((many_seconds - few_seconds) / (many - few), 0.0), many_seconds / many)
    return many_seconds + slope * (size - many)


def _time(run: TimedBatch, size: int) -> float:
    start = time.perf_counter()
    run(size)
    return time.perf_counter() - start


def random_dataset(info: DatasetInfo, n: int) -> Dataset:
    """Return n random images and labels of the shape of a data set."""
    rng = np.random.default_rng(SEED)
    shape = (n, info.height, info.width, info.channels)
    images = rng.integers(0, 256, shape, dtype=np.uint8)
    labels = rng.integers(0, len(info.classes), n)
    return Dataset(info.model_copy(update={"n_train": n, "n_test": 0}), images, labels)


def _random_fold(
    data: tuple[Dataset, AugmentSection], network: Network, features: Features, device: torch.device
) -> Fold:
    """Return a fold of random images as the engine opens it, with this augmentation."""
    images, recipe = data
    half = [[0.5] * network.channels] * 2
    normalisation = Normalisation(mean=half, std=half)
    no_digests = FoldDigests(train=["", ""], validation=["", ""])
    split = Split(np.arange(len(images.labels)) % 2, normalisation, no_digests)
    return open_fold((images, split, recipe), (0, 0), network, features, device)
