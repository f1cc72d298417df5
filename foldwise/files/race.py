"""NAME.json of the race: whether an architecture goes on after its first fold, and why not."""

from pathlib import Path

from foldwise.files.base import NonNegative, Strict, read_json, write_json


class Standing(Strict):
    """How one architecture stands after the first fold; differences are in the metric."""

    model: str
    goes_on: bool  # False: no other fold trains
    score: float | None  # of the first fold; None: it diverged
    shortfall: NonNegative | None  # best score − this score; None: it diverged
    least: float | None  # lower end of the interval of the shortfall; None: it diverged
    reason: str  # why it is stopped, one clause; empty: it goes on


def write_standing(path: Path, standing: Standing) -> None:
    """Write the standing of one architecture."""
    write_json(path, standing)


def read_standing(path: Path) -> Standing:
    """Read the standing of one architecture.

    Raises:
        InputError: If it is missing or not of this schema.
    """
    return read_json(path, Standing)
