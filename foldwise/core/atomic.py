"""Files that appear whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from filelock import FileLock, Timeout

from foldwise.core.errors import InputError


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text with Unix line ends, whole or not at all; folders are made."""
    with open_whole(path) as file:
        file.write(text)


@contextmanager
def open_whole(path: Path) -> Iterator[TextIO]:
    """Open a text as `write_text` writes it, for one that is written line by line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        yield file
    partial.replace(path)


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Keep every other training away from a folder; the lock lies beside it, and ends with us.

    Args:
        folder: What this training writes; need not exist.

    Raises:
        InputError: If another training writes it.
    """
    path = folder.with_name(f"{folder.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path, timeout=0):
            yield
    except Timeout:
        raise InputError(
            f"{folder}: another training writes it now, with the lock {path}; let it end, or end it"
        ) from None
