"""data/augmented/R/recipe.json: how training images are augmented."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from foldwise.files.base import Strict, read_json, write_json

Fraction = Annotated[float, Field(ge=0, le=1)]


class Recipe(Strict):
    """What is drawn for each training image in each epoch."""

    shift: Annotated[int, Field(ge=0)]  # pixels, at most, in each direction
    flip: Fraction  # probability
    rotation: Annotated[float, Field(ge=0, le=180)]  # degrees, at most, either way
    erase: Fraction  # probability
    brightness: Fraction  # factor 1 ± this
    contrast: Fraction  # factor 1 ± this

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
