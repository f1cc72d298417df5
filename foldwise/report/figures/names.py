"""Names as a figure can show them: one line, no longer than fits, in glyphs that the font has."""

import functools
import re
import unicodedata
from collections.abc import Collection, Sequence

from matplotlib.font_manager import FontProperties, findfont, get_font

LONGEST = 40  # letters of an architecture: a third of the page
MISSING = "□"


def shorten(text: str, longest: int = LONGEST) -> str:
    """Return a text of at most so many letters; what is in the middle of a longer one is cut out.

    Args:
        text: One line.
        longest: Letters, at least 3.
    """
    if len(text) <= longest:
        return text
    tail = (longest - 1) // 2
    return f"{text[: longest - 1 - tail]}…{text[-tail:]}"


def drawable(text: str) -> str:
    """Return text on one line; a letter that the font lacks is a box.

    What is not seen but turns or joins its neighbours is dropped: it could make one name look
    like another.
    """
    seen = (one for one in " ".join(text.split()) if unicodedata.category(one) != "Cf")
    return "".join(one if ord(one) in _glyphs() else MISSING for one in seen)


def class_names(classes: Sequence[str], longest: int) -> list[str]:
    """Return every class as a figure shows it, no two alike.

    One not shown whole has its number before it: its position in the list, from 0.

    Args:
        classes: Names of any kind, all different.
        longest: Letters, from which a name is shortened.
    """
    return [_class_name(number, name, longest) for number, name in enumerate(classes)]


def _class_name(number: int, name: str, longest: int) -> str:
    shown = shorten(drawable(name), longest)
    whole = shown == name and not re.match(r"\d+: ", name)
    return shown if whole else f"{number}: {shown}"


@functools.cache
def _glyphs() -> Collection[int]:
    return get_font(findfont(FontProperties(family="DejaVu Sans"))).get_charmap().keys()
