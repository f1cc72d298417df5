"""What one fold is: which images train, which validate, and how they reach the network."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from foldwise.core.errors import InputError
from foldwise.data.folds import digest_of_images, draw_train_eval_subset
from foldwise.engine.inputs import AugmentedImages, FeatureBatches, ImageBatches
from foldwise.files.dataset import Dataset
from foldwise.files.features import Features
from foldwise.files.network import ChannelStatistics, Network
from foldwise.files.split import Recipe, Split


class Inputs(Protocol):
    """Where batches are from: images, or features of images from a part that never trains.

    Attributes:
        image_bytes: Of what one image gives.
    """

    image_bytes: int

    def training(self, index: NDArray[np.int64], epoch: int) -> Tensor:
        """Return what the network trains on in an epoch, counted from 1: (b, ...)."""

    def plain(self, index: NDArray[np.int64]) -> Tensor:
        """Return images as they are, or their features: (b, ...)."""


@dataclass(frozen=True)
class Fold:
    """One fold of one repeat; the same for every architecture.

    Attributes:
        repeat: Number of the repeat, from 0.
        number: Of the fold, 0 .. k - 1.
        n_folds: k.
        seed: Of the data set.
        training: (n,) positions of the images that train.
        train_eval_subset: (m,) those of them on which the training curve is measured.
        validation: (m,) positions of the images that validate.
        inputs: What the network gets of each image.
        labels: (n_images,) int64 class of every image of the data set.
        normalisation: Of the images.
        train_digest: Of the pixels and labels of the images that train.
        validation_digest: Of the pixels and labels of the images that validate.
    """

    repeat: int
    number: int
    n_folds: int
    seed: int
    training: NDArray[np.int64]
    train_eval_subset: NDArray[np.int64]
    validation: NDArray[np.int64]
    inputs: Inputs
    labels: NDArray[np.int64]
    normalisation: ChannelStatistics
    train_digest: str
    validation_digest: str


def open_fold(
    data: tuple[Dataset, Split, Recipe],
    place: tuple[int, int],
    network: Network,
    features: Features,
    device: torch.device,
) -> Fold:
    """Return one fold of a split, as a network gets it.

    Args:
        data: The images, the folds of this repeat, and its augmentation.
        place: Repeat and fold.
        network: Whose normalisation counts, where it has its own.
        features: Of its part that never trains; without views, the network gets images.
        device: Of the batches.

    Raises:
        InputError: If the split has no such fold.
    """
    dataset, split, recipe = data
    repeat, number = place
    if number not in range(split.n_folds):
        raise InputError(
            f"fold is {number}; the split has folds 0 to {split.n_folds - 1}: set folds in "
            "params.yaml and run 'dvc repro'"
        )
    training, validation, seed = split.training(number), split.validation(number), dataset.info.seed
    normalisation = network.normalisation or ChannelStatistics(
        mean=split.normalisation.mean[number], std=split.normalisation.std[number]
    )
    images = ImageBatches(dataset.images, normalisation.mean, normalisation.std, device)
    views = AugmentedImages(images, recipe, len(dataset.labels), seed, place)
    return Fold(
        repeat=repeat,
        number=number,
        n_folds=split.n_folds,
        seed=seed,
        training=training,
        train_eval_subset=draw_train_eval_subset(training, len(validation), seed, place),
        validation=validation,
        inputs=FeatureBatches(features, device) if features.views else views,
        labels=dataset.labels,
        normalisation=normalisation,
        train_digest=digest_of_images(dataset.images, dataset.labels, training),
        validation_digest=digest_of_images(dataset.images, dataset.labels, validation),
    )
