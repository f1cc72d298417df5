"""Fold records of other experiments, which the folder keeps."""

from collections.abc import Iterable
from itertools import groupby
from pathlib import PurePath


def name_strays(folder: PurePath, found: Iterable[PurePath], used: Iterable[PurePath]) -> str:
    """Return one line that names every file that is not used; empty if there is none.

    Args:
        folder: Of the records.
        found: Every file below it.
        used: The files of this comparison.
    """
    strays = sorted(set(found) - set(used))
    names = ", ".join(
        f"{parent.relative_to(folder)} ({', '.join(file.stem for file in files)})"
        for parent, files in groupby(strays, key=lambda file: file.parent)
    )
    return names and f"{folder}: records of other experiments change nothing here: {names}"
