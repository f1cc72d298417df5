"""The keys of params.yaml that extract reads."""

from typing import Annotated

from pydantic import Field

from stages.contracts.strict import Strict
from stages.train.params import HardwareSection


class ExtractSection(Strict):
    """How much of what a frozen part makes is kept."""

    views: Annotated[int, Field(ge=1)]  # augmented versions of each image
    most_gigabytes: Annotated[float, Field(ge=0)]  # of all views; over it, nothing is kept


class ExtractParams(Strict):
    """What extract reads."""

    extract: ExtractSection
    hardware: HardwareSection
