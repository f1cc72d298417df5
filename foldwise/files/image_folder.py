"""Section prepare of params.yaml, and the files in its folder, listed before any is opened."""

import os
import re
import signal
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from foldwise.core.errors import InputError, did_you_mean
from foldwise.core.limits import TimeLimitError, time_limit
from foldwise.files.base import Strict
from foldwise.files.catalogue import DATASETS

IGNORED = frozenset((".git", ".hg", ".dvc"))  # by DVC, too
MAX_ERRORS = 20  # in a message
# CPU time of prepare.groups for 10,000 names, of which a usual pattern takes a thirtieth. Python
# tries all ways in which (\w+)+x may match: hours for a name of 40 letters.
GROUP_SECONDS = 0.3


class PrepareSection(Strict):
    """Which images, and how they are prepared once for all folds."""

    dataset: str  # digits, folder, or the name of a torchvision data set
    root: Annotated[str, Field(min_length=1, max_length=1000)]  # folder of the files
    image_size: Literal["native"] | Annotated[int, Field(ge=4, le=2048)]  # pixels per side
    test_fraction: Annotated[float, Field(gt=0, le=0.5)]  # if there is no official test set
    limit: Annotated[int, Field(ge=4)] | None  # training images to use, stratified; null: all
    # Regular expression on file names; its (group) is the group's name.
    groups: Annotated[str, Field(max_length=200)] | None

    @property
    def side(self) -> int | None:
        """Pixels per side of the square to resize to; None keeps the size."""
        return None if self.image_size == "native" else self.image_size

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

    @field_validator("groups")
    @classmethod
    def _has_one_group(cls, pattern: str | None, info: ValidationInfo) -> str | None:
        if pattern is None:
            return None
        if info.data.get("dataset", "folder") != "folder":
            raise ValueError(f"null: the files of {info.data['dataset']} have no names to group by")
        try:
            n_groups = re.compile(pattern).groups
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"a regular expression ({error})") from None
        if n_groups != 1:
            raise ValueError("a regular expression with exactly one (group)")
        return pattern


def list_files(root: Path, *, allow_links: bool) -> list[str]:
    """Return the paths below a folder of all files in it.

    DVC opens all of them, and a FIFO or a device would block it for ever. A folder that cannot be
    read would be left out silently, by DVC as well, and DVC leaves out links to folders.

    Args:
        root: The folder.
        allow_links: Whether to leave out links to folders; otherwise they are errors.

    Raises:
        InputError: If something is neither a file nor a folder, or cannot be read; one line each.
    """
    files: list[str] = []
    errors = list(islice(_walk(root, files, allow_links=allow_links), MAX_ERRORS))
    if errors:
        raise InputError("\n".join(f"prepare.root: {error}" for error in errors))
    return files


def _walk(root: Path, files: list[str], *, allow_links: bool) -> Iterator[str]:
    """Collect the files, and yield an error for each path that cannot be used."""
    pending = [""]
    while pending:
        below = pending.pop()
        try:
            entries = list(os.scandir(root / below))
        except OSError as error:
            yield f"{str(root / below)!r} cannot be read ({error.strerror}); change its mode"
            continue
        for entry in entries:
            problem = _problem(entry, allow_links=allow_links)
            if problem:
                yield f"{entry.path!r} {problem}"
            elif entry.is_file():
                files.append(f"{below}{entry.name}")
            elif not entry.is_symlink() and entry.name not in IGNORED:
                pending.append(f"{below}{entry.name}/")


def _problem(entry: os.DirEntry[str], *, allow_links: bool) -> str | None:
    """Return why an entry of a folder cannot be used, and the remedy."""
    try:
        if entry.is_dir():
            if allow_links or not entry.is_symlink():
                return None
            return "is a link to a folder, in which DVC sees no change; move the folder there"
        if not entry.is_file():
            return "is neither a file nor a folder, and opening it may never end; remove it"
        reason = None if os.access(entry.path, os.R_OK) else "Permission denied"
    except OSError as error:
        reason = error.strerror
    return reason and f"cannot be read ({reason}); change its mode or remove it"


def find_groups(pattern: str, files: Sequence[str]) -> list[str | None]:
    """Return what the group of a pattern matches in each file name; None if nothing matches.

    Raises:
        InputError: If that takes too long.
    """
    seconds = GROUP_SECONDS * (1 + len(files) / 10_000)
    try:
        with time_limit(seconds, signal.ITIMER_VIRTUAL):
            matches = [re.search(pattern, file) for file in files]
    except TimeLimitError:
        raise InputError(
            f"prepare.groups is {pattern!r}, which takes over {seconds:.1f} s for {len(files):,} "
            r"file names; write it without repeats inside repeats such as (\w+)+"
        ) from None
    return [match and match[1] for match in matches]
