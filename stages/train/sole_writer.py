"""One training at a time writes an output."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from stages.contracts.command import InputError


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
