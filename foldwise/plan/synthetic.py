"""Images made up, to time networks on: a clock does not see what is on a picture."""

import numpy as np

from foldwise.engine.fold import Fold, Inputs
from foldwise.engine.hardware import Hardware
from foldwise.engine.inputs import AugmentedImages, ImageBatches
from foldwise.files.dataset import Dataset, DatasetInfo
from foldwise.files.network import ChannelStatistics, Network
from foldwise.files.split import Recipe

SHIFT = 0.1  # of the side; what most recipes draw
PLACE = (0, 0)  # repeat and fold
SEED = 0


def random_dataset(info: DatasetInfo, n: int) -> Dataset:
    """Return n random images and labels of the shape of a data set."""
    rng = np.random.default_rng(SEED)
    shape = (n, info.height, info.width, info.channels)
    images = rng.integers(0, 256, shape, dtype=np.uint8)
    facts = info.model_copy(update={"n_train": n, "n_test": 0})
    return Dataset(facts, images, rng.integers(0, len(info.classes), n))


def first_images(dataset: Dataset, n: int) -> Dataset:
    """Return the first n images."""
    facts = dataset.info.model_copy(update={"n_train": n})
    return Dataset(facts, dataset.images[:n], dataset.labels[:n])


def typical_recipe(info: DatasetInfo) -> Recipe:
    """Return the augmentation that is timed: shifts and flips."""
    shift = round(SHIFT * min(info.height, info.width))
    return Recipe(shift=shift, flip=0.5, rotation=0, erase=0, brightness=0, contrast=0)


def normalisation_of(network: Network) -> ChannelStatistics:
    """Return that of the network, or one for random images."""
    half = [0.5] * network.channels
    return network.normalisation or ChannelStatistics(mean=half, std=half)


def random_inputs(dataset: Dataset, network: Network, hardware: Hardware) -> AugmentedImages:
    """Return the images as a network gets them."""
    given = normalisation_of(network)
    images = ImageBatches(dataset.images, given.mean, given.std, hardware.device)
    return AugmentedImages(images, typical_recipe(dataset.info), dataset.info.n_train, SEED, PLACE)


def random_fold(dataset: Dataset, network: Network, inputs: Inputs) -> Fold:
    """Return a fold of which every image trains and validates."""
    every = np.arange(dataset.info.n_train)
    return Fold(
        repeat=PLACE[0],
        number=PLACE[1],
        n_folds=2,
        seed=SEED,
        training=every,
        train_eval_subset=every,
        validation=every,
        inputs=inputs,
        labels=dataset.labels,
        normalisation=normalisation_of(network),
        train_digest="",
        validation_digest="",
    )
