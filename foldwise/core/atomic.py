"""Atomic writes of text files, and a lock on an output folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from filelock import FileLock, Timeout

from foldwise.core.errors import InputError, written_file


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with Unix line ends, completely or not at all; create the folders."""
    with open_whole(path) as file:
        file.write(text)


@contextmanager
def open_whole(path: Path) -> Iterator[TextIO]:
    """Yield a file to write line by line; it appears under its name only when complete.

    Links are followed. A pipe or a device is written at once.

    Raises:
        InputError: If it is a folder.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file, or remove the folder")
    if path.exists() and not path.is_file():
        with written_file(path), path.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        return
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")  # others may write it, too
    try:
        with written_file(partial), partial.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Hold a lock beside a folder, so that no other training writes there. It ends with us.

    Args:
        folder: Output of this training; need not exist.

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
            f"{folder}: another training writes there, with the lock {path}; "
            "wait until it ends, or end it"
        ) from None
