"""What one fold is: which images train, which validate, and how they reach the network."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from stages.contracts.command import InputError
from stages.contracts.dataset import Dataset
from stages.contracts.recipe import Recipe
from stages.contracts.split import Split
from stages.train.images import Images
from stages.train.streams import probe


@dataclass(frozen=True)
class Fold:
    """One fold of one repeat; the same for every architecture.

    Attributes:
        repeat: Number of the repeat, from 0.
        number: Of the fold, 0 .. k - 1.
        n_folds: k.
        seed: Of the data set.
        training: (n,) positions of the images that train.
        probe: (m,) those of them on which the training curve is measured.
        validation: (m,) positions of the images that validate.
        images: All images, normalised by the training part of this fold.
        labels: (n_images,) int64 class of every image of the data set.
        recipe: How training images are augmented.
    """

    repeat: int
    number: int
    n_folds: int
    seed: int
    training: NDArray[np.int64]
    probe: NDArray[np.int64]
    validation: NDArray[np.int64]
    images: Images
    labels: NDArray[np.int64]
    recipe: Recipe


def open_fold(
    dataset: Dataset, split: Split, recipe: Recipe, place: tuple[int, int], device: torch.device
) -> Fold:
    """Return one fold of a split.

    Args:
        dataset: The images.
        split: The folds of this repeat.
        recipe: Of this repeat.
        place: Repeat and fold.
        device: Of the batches.

    Raises:
        InputError: If the split has no such fold.
    """
    repeat, number = place
    if number not in range(split.n_folds):
        raise InputError(
            f"fold is {number}; the split has folds 0 to {split.n_folds - 1}: set folds in "
            "params.yaml and run 'dvc repro'"
        )
    training, validation = split.training(number), split.validation(number)
    mean, std = split.normalisation.mean[number], split.normalisation.std[number]
    return Fold(
        repeat=repeat,
        number=number,
        n_folds=split.n_folds,
        seed=dataset.info.seed,
        training=training,
        probe=probe(training, len(validation), dataset.info.seed, place),
        validation=validation,
        images=Images(dataset.images, mean, std, device),
        labels=dataset.labels,
        recipe=recipe,
    )
