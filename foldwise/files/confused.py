"""reports/confused.json: the pairs of classes that the chosen architecture confuses most; in git.

compare names the images, the stage mistakes has them and draws them, report shows both.
"""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from foldwise.files.base import Strict, read_json, write_json

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Example(Strict):
    """One image that was taken for the other class."""

    image: Count  # position in the data set
    confidence: Share  # probability of the wrong class


class ConfusedPair(Strict):
    """Images of one class that are taken for another."""

    true: str  # class
    predicted: str  # class
    images: Annotated[int, Field(ge=1)]  # that are taken so, all folds together
    share: Share  # of the images of the true class
    examples: list[Example]  # each image once, the surest mistake first


class Confused(Strict):
    """confused.json."""

    model: str | None  # the chosen architecture; None: none finished
    pairs: list[ConfusedPair]  # most images first; empty: no mistake


def write_confused(folder: Path, confused: Confused) -> None:
    """Write confused.json."""
    write_json(folder / "confused.json", confused)


def read_confused(path: Path) -> Confused:
    """Read confused.json.

    Raises:
        InputError: If it is missing or not of this schema.
    """
    return read_json(path, Confused)


Pixels = Annotated[int, Field(ge=1)]


class Strip(Strict):
    """One PNG: images of one class that were taken for another, side by side."""

    file: str  # its name, beside strips.json
    width: Pixels
    height: Pixels
    shown: Annotated[int, Field(ge=0)]  # images, the surest mistake first


class Mistakes(Strict):
    """strips.json."""

    strips: list[Strip]  # one a pair of confused.json, in that order


def write_mistakes(folder: Path, mistakes: Mistakes) -> None:
    """Write strips.json."""
    write_json(folder / "strips.json", mistakes)


def read_mistakes(folder: Path) -> Mistakes:
    """Read strips.json.

    Raises:
        InputError: If it is missing or not of this schema.
    """
    return read_json(folder / "strips.json", Mistakes)
