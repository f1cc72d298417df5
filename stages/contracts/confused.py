"""reports/confused.json: the pairs of classes that the chosen architecture confuses most; in git.

compare names the images, the stage mistakes has them and draws them, report shows both.
"""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from stages.contracts.json_file import read_json, write_json
from stages.contracts.strict import Strict

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
