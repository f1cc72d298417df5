"""reports/models/NAME/card.json: what an architecture is and what it weighs; in git."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from stages.contracts.json_file import read_json, write_json
from stages.contracts.strict import Strict

Count = Annotated[int, Field(ge=0)]


class Card(Strict):
    """The facts of one architecture, adapted to the data."""

    name: str
    title: str  # one line: what it is, and its source
    origin: str  # Python module that defines it
    input_shape: list[int]  # channels, height, width
    classes: list[str]
    parameters: Count
    trainable_parameters: Count
    multiply_adds: Count  # torchinfo's count for one image
    weights: str  # "scratch", or file name and SHA-256 of the weights


def write_card(folder: Path, card: Card) -> None:
    """Write card.json."""
    write_json(folder / "card.json", card)


def read_card(folder: Path) -> Card:
    """Read card.json."""
    return read_json(folder / "card.json", Card)
