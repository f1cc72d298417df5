"""Errors of the user: what they say, and how they end a program."""

import difflib
import os
import sys
from collections.abc import Callable, Iterable, Sequence


class InputError(ValueError):
    """An input is wrong. The message names the thing, its value, its place and the remedy.

    A message of several lines holds several errors, one per line.
    """


def run_main(main: Callable[[], None]) -> None:
    """Run a program to its end, and exit.

    An `InputError` is printed without traceback, each of its lines after "error: ", and the exit
    status is 1. Any other exception is a bug of ours and keeps its traceback.

    Raises:
        SystemExit: If main raised an InputError, or its options are wrong.
    """
    try:
        main()
    except InputError as error:
        sys.exit("\n".join(f"error: {line}" for line in str(error).split("\n")))
    # All files are closed. A regular exit unloads torch's modules first: 0.7 to 1 s per fold.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def nearest(word: object, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the name that a misspelt word probably means; None if no name is similar.

    Args:
        word: As the user wrote it. Upper and lower case do not matter.
        names: The valid names.
        cutoff: Smallest similarity, from 0 to 1 (the ratio of difflib).
    """
    lower = {name.lower(): name for name in names}
    matches = difflib.get_close_matches(str(word).lower(), list(lower), n=1, cutoff=cutoff)
    return lower[matches[0]] if matches else None


def did_you_mean(word: object, names: Iterable[str], cutoff: float = 0.6) -> str:
    """Return "; did you mean 'NAME'?" for a misspelt word, or "" if no name is similar."""
    name = nearest(word, names, cutoff)
    return "" if name is None else f"; did you mean '{name}'?"


def counted(n: int, noun: str) -> str:
    """Return a number with its noun: "1 tensor", "2 tensors"."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def first_few(texts: Sequence[str], most: int = 3) -> str:
    """Return the first texts, and how many more there are."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
