"""data/splits/R and data/augmented/R: folds, normalisation and augmentation of one repeat."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foldwise.core.atomic import open_whole
from foldwise.files.base import Strict, existing, read_json, write_json
from foldwise.files.params import AugmentSection

HELD_OUT = -1  # the "fold" of a test image


class Normalisation(Strict):
    """normalisation.json: statistics of the training images, for pixel values in 0 .. 1."""

    mean: list[list[float]]  # (folds, channels)
    std: list[list[float]]  # (folds, channels), above 0


class FoldDigests(Strict):
    """digests.json: SHA-256 digests of the pixels and labels of the images of each fold, in hex."""

    train: list[str]  # (folds,)
    validation: list[str]  # (folds,)


@dataclass(frozen=True)
class Split:
    """The folds of one repeat.

    Attributes:
        fold: (n,) fold in which each image is validated; HELD_OUT for test images.
        normalisation: Mean and standard deviation per fold.
        digests: Which images train and validate in each fold, by their content.
    """

    fold: NDArray[np.int64]
    normalisation: Normalisation
    digests: FoldDigests

    @property
    def n_folds(self) -> int:
        """The number k of folds."""
        return len(self.normalisation.mean)


def write_split(folder: Path, split: Split) -> None:
    """Write folds.csv, normalisation.json and digests.json."""
    with open_whole(folder / "folds.csv") as file:
        file.write("index,fold\n")
        file.writelines(f"{index},{fold}\n" for index, fold in enumerate(split.fold))
    write_json(folder / "normalisation.json", split.normalisation)
    write_json(folder / "digests.json", split.digests)


def read_split(folder: Path) -> Split:
    """Read folds.csv, normalisation.json and digests.json.

    Raises:
        InputError: If one is missing.
    """
    path = existing(folder / "folds.csv")
    table = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.int64, ndmin=2)
    normalisation = read_json(folder / "normalisation.json", Normalisation)
    return Split(table[:, 1], normalisation, read_json(folder / "digests.json", FoldDigests))


def write_recipe(folder: Path, section: AugmentSection) -> None:
    """Write recipe.json, the section augment without optional keys that are off."""
    write_json(folder / "recipe.json", section.model_dump(mode="json", exclude_defaults=True))


def read_recipe(folder: Path) -> AugmentSection:
    """Read recipe.json."""
    return read_json(folder / "recipe.json", AugmentSection)
