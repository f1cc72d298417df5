"""Section prepare of params.yaml: which images, and how they are read."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationInfo, field_validator

from foldwise.core.errors import did_you_mean
from foldwise.files.base import Count, Strict
from foldwise.files.catalogue import DATASETS
from foldwise.files.image_folder import IGNORED

# report: find and report them; group: also keep them on one side of a split; ignore: do not look.
NearDuplicates = Literal["report", "group", "ignore"]
Side = Annotated[int, Field(ge=4, le=2048)]  # pixels
Size = Annotated[list[Side], Field(min_length=2, max_length=2)]  # height and width
Level = Annotated[int, Field(ge=0, le=255)]
Colour = (
    Literal["white", "black", "grey"] | Annotated[list[Level], Field(min_length=3, max_length=3)]
)
Range = Annotated[list[Count], Field(min_length=2, max_length=2)]


OWN_FILES = ("folder", "table")  # data sets of the user's own images


def _require_one_group(pattern: str) -> str:
    try:
        n_groups = re.compile(pattern).groups
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"a regular expression ({error})") from None
    if n_groups != 1:
        raise ValueError("a regular expression with exactly one (group)")
    return pattern


def _require_below(path: str) -> str:
    if path.startswith(("/", "~")) or ".." in Path(path).parts or not path.isprintable():
        raise ValueError("the path of a file below prepare.root")
    return path


Pattern = Annotated[str, Field(max_length=200), AfterValidator(_require_one_group)]
Below = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_require_below)]


class Blocks(Strict):
    """Groups of consecutive numbers in file names: 0 .. block - 1, block .. 2 · block - 1, ..."""

    pattern: Pattern  # its (group) is a number
    block: Annotated[int, Field(ge=2, le=10**9)]


class GroupTable(Strict):
    """Groups in a table with the columns file and group."""

    table: Below  # CSV or Parquet, below root


def _group_type(value: object) -> str:
    """Return the type whose errors to report."""
    if not isinstance(value, dict):
        return type(value).__name__ if isinstance(value, Strict) else "str"
    return "Blocks" if {"pattern", "block"} & value.keys() else "GroupTable"


Groups = Annotated[
    Annotated[Pattern, Tag("str")]
    | Annotated[Blocks, Tag("Blocks")]
    | Annotated[GroupTable, Tag("GroupTable")],
    Discriminator(_group_type),
]


class PrepareSection(Strict):
    """Which images, and how they are prepared once for all folds."""

    dataset: str  # digits, folder, or the name of a torchvision data set
    root: Annotated[str, Field(min_length=1, max_length=1000)]  # folder of the files
    table: Below = "labels.csv"  # CSV or Parquet; only for the data set "table"
    image_size: Literal["native"] | Side | Size  # pixels: of a square, or [h, w]
    resize: Literal["crop", "pad", "stretch"] = "crop"  # if the shape of an image is another
    background: Colour = "white"  # behind transparent parts and padded images
    # What becomes 0 and 255 in images of more than 8 bits; null: such images are errors.
    scale: Literal["data"] | Range | None = None
    unreadable: Literal["stop", "skip"] = "stop"  # what to do about broken images
    test_fraction: Annotated[float, Field(ge=0, le=0.5)]  # if there is no official test set
    limit: Annotated[int, Field(ge=4)] | None  # training images to use, stratified; null: all
    # Regular expression on file names, whose (group) is the group's name; numbers; or a table.
    groups: Groups | None
    near_duplicates: NearDuplicates = "report"

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width to resize to, in pixels; None keeps the size."""
        size = self.image_size
        if size == "native":
            return None
        return (size, size) if isinstance(size, int) else (size[0], size[1])

    @field_validator("root")
    @classmethod
    def _is_a_path(cls, root: str) -> str:
        if "://" in root or root.startswith("~") or not root.isprintable():
            raise ValueError("a folder of this machine, relative or beginning with /")
        if not IGNORED.isdisjoint(Path(root).parts):
            raise ValueError("a folder outside those of git and DVC")
        return root

    @field_validator("dataset")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in DATASETS:
            hint = did_you_mean(name, DATASETS) or f": {', '.join(DATASETS)}"
            raise ValueError(f"the name of a data set{hint}")
        return name

    @field_validator("scale")
    @classmethod
    def _rises(
        cls, scale: Literal["data"] | list[int] | None
    ) -> Literal["data"] | list[int] | None:
        if isinstance(scale, list) and not scale[0] < scale[1] <= 65_535:
            raise ValueError("data, null, or [low, high] with low < high of at most 65535")
        return scale

    @field_validator("groups")
    @classmethod
    def _has_named_files(cls, groups: object, info: ValidationInfo) -> object:
        if groups is not None and info.data.get("dataset", "folder") not in OWN_FILES:
            raise ValueError(f"null: the files of {info.data['dataset']} have no names to group by")
        return groups
