"""The base of everything that is read from a file."""

import difflib
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A frozen record that refuses unknown keys, other types, NaN and infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def nearest(word: object, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the known name that a misspelt word is likely to mean; None where nothing is near.

    Args:
        word: As the user wrote it; capitals do not count.
        known: The names that there are.
        cutoff: How alike the two must be, from 0 to 1 (difflib's ratio).
    """
    lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(str(word).lower(), list(lower), n=1, cutoff=cutoff)
    return lower[near[0]] if near else None


def did_you_mean(word: object, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return "; did you mean 'near'?" for a misspelt word, or "" where nothing is near."""
    near = nearest(word, known, cutoff)
    return f"; did you mean '{near}'?" if near is not None else ""
