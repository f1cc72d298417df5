"""The files in the folder of a data set, listed before any is opened, and their groups."""

import os
import re
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

from foldwise.core.errors import InputError, lines_by_reason
from foldwise.core.limits import TimeLimitError, time_limit

IGNORED = frozenset((".git", ".hg", ".dvc"))  # by DVC, too
# CPU time of prepare.groups for 10,000 names, of which a usual pattern takes a thirtieth. Python
# tries all ways in which (\w+)+x may match: hours for a name of 40 letters.
GROUP_SECONDS = 1.0


def list_files(root: Path, *, allow_links: bool, key: str = "prepare.root") -> list[str]:
    """Return the paths below a folder of all files in it.

    DVC opens all of them, and a FIFO or a device would block it for ever. A folder that cannot be
    read would be left out silently, by DVC as well, and DVC leaves out links to folders.

    Args:
        root: The folder.
        allow_links: Whether to leave out links to folders; otherwise they are errors.
        key: What names the folder, for errors.

    Raises:
        InputError: If something is neither a file nor a folder, or cannot be read.
    """
    files: list[str] = []
    errors = list(_walk(root, files, allow_links=allow_links))
    if errors:
        raise InputError(lines_by_reason((f"{key}: {place!r}", reason) for place, reason in errors))
    return files


def _walk(root: Path, files: list[str], *, allow_links: bool) -> Iterator[tuple[str, str]]:
    """Collect the files, and yield the place and the reason of each that cannot be used."""
    pending = [""]
    while pending:
        below = pending.pop()
        try:
            entries = list(os.scandir(root / below))
        except OSError as error:
            yield str(root / below), f"cannot be read ({error.strerror}); change its mode"
            continue
        for entry in entries:
            problem = _problem(entry, allow_links=allow_links)
            if problem:
                yield entry.path, problem
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
        if entry.is_symlink() and not os.path.exists(entry.path):  # noqa: PTH110 - no Path here
            return "is a link to no file; restore the file or remove the link"
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
