"""Text for people: near spellings and durations."""

import difflib
from collections.abc import Iterable

MINUTE, HOUR = 60, 3600  # seconds


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


def format_duration(seconds: float) -> str:
    """Return a duration as one says it: "45 s", "2 min 20 s", "12 min", "1 h 05 min"."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    minutes, left = divmod(whole, MINUTE)
    if whole < 10 * MINUTE:
        return f"{minutes} min {left} s" if left else f"{minutes} min"
    minutes = round(seconds / MINUTE)
    if minutes < HOUR // MINUTE:
        return f"{minutes} min"
    return f"{minutes // MINUTE} h {minutes % MINUTE:02d} min"
