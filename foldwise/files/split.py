"""data/splits/R: the folds of one repeat, and the normalisation of each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from foldwise.core.atomic import open_whole
from foldwise.core.errors import InputError
from foldwise.files.base import Count, Share, Strict, read_json, write_json

HELD_OUT = -1  # the "fold" of a test image


class Normalisation(Strict):
    """normalisation.json: per fold and channel, of the training part, in units of 0 .. 1."""

    mean: list[list[float]]  # (folds, channels)
    std: list[list[float]]  # (folds, channels), above 0


@dataclass(frozen=True)
class Split:
    """The folds of one repeat.

    Attributes:
        fold: (n,) fold in which each image is validated; HELD_OUT for test images.
        normalisation: Mean and standard deviation per fold.
    """

    fold: NDArray[np.int64]
    normalisation: Normalisation

    @property
    def n_folds(self) -> int:
        """The number k of folds."""
        return len(self.normalisation.mean)

    def training(self, fold: int) -> NDArray[np.int64]:
        """Return the positions of the images that train in this fold, ascending."""
        return np.flatnonzero((self.fold != fold) & (self.fold != HELD_OUT))

    def validation(self, fold: int) -> NDArray[np.int64]:
        """Return the positions of the images that validate this fold, ascending."""
        return np.flatnonzero(self.fold == fold)


def write_split(folder: Path, split: Split) -> None:
    """Write folds.csv and normalisation.json."""
    with open_whole(folder / "folds.csv") as file:
        file.write("index,fold\n")
        file.writelines(f"{index},{fold}\n" for index, fold in enumerate(split.fold))
    write_json(folder / "normalisation.json", split.normalisation)


def read_split(folder: Path) -> Split:
    """Read folds.csv and normalisation.json.

    Raises:
        InputError: If one is missing.
    """
    path = folder / "folds.csv"
    if not path.is_file():
        raise InputError(f"{path} is missing; run 'dvc repro' to make it")
    table = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.int64, ndmin=2)
    return Split(table[:, 1], read_json(folder / "normalisation.json", Normalisation))


class Recipe(Strict):
    """What is drawn for each training image in each epoch."""

    shift: Count  # pixels, at most, in each direction
    flip: Share  # probability
    rotation: Annotated[float, Field(ge=0, le=180)]  # degrees, at most, either way
    erase: Share  # probability
    brightness: Share  # factor 1 ± this
    contrast: Share  # factor 1 ± this

    @property
    def is_idle(self) -> bool:
        """Whether images stay as they are."""
        return not any(self.model_dump().values())


def write_recipe(folder: Path, recipe: Recipe) -> None:
    """Write recipe.json."""
    write_json(folder / "recipe.json", recipe)


def read_recipe(folder: Path) -> Recipe:
    """Read recipe.json."""
    return read_json(folder / "recipe.json", Recipe)
