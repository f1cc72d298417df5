"""The keys of params.yaml that prepare reads."""

import re
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from stages.contracts.strict import Strict, did_you_mean
from stages.prepare.catalogue import DATASETS


class PrepareSection(Strict):
    """Where the images come from and what is done to them once."""

    dataset: str  # digits, folder, or the name of a torchvision data set
    root: Annotated[str, Field(min_length=1)]  # folder of the files
    image_size: Literal["native"] | Annotated[int, Field(ge=4, le=2048)]  # pixels a side
    test_fraction: Annotated[float, Field(gt=0, le=0.5)]  # where there is no official test set
    limit: Annotated[int, Field(ge=4)] | None  # training images to take, stratified; null: all
    groups: str | None  # regular expression on file names; its one (group) names the group

    @property
    def side(self) -> int | None:
        """Pixels a side of the square to resize to; None keeps the size."""
        return None if self.image_size == "native" else self.image_size

    @field_validator("dataset")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in DATASETS:
            hint = did_you_mean(name, list(DATASETS)) or f": {', '.join(DATASETS)}"
            raise ValueError(f"the name of a data set{hint}")
        return name

    @field_validator("groups")
    @classmethod
    def _has_one_group(cls, pattern: str | None, info: ValidationInfo) -> str | None:
        if pattern is not None and info.data.get("dataset", "folder") != "folder":
            raise ValueError(f"null: the files of {info.data['dataset']} have no names to group by")
        try:
            compiled = re.compile(pattern or "()")
        except re.error as error:
            raise ValueError(f"a regular expression ({error})") from None
        if compiled.groups != 1:
            raise ValueError("a regular expression with exactly one (group)")
        return pattern


class PrepareParams(Strict):
    """What prepare reads; the seed travels on in the data set."""

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    prepare: PrepareSection
