"""reports/mistakes: a strip of images for each pair of classes in confused.json; in git."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from stages.contracts.json_file import read_json, write_json
from stages.contracts.strict import Strict

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
