"""Fonts of figures: matplotlib's own, and installed fonts for the characters that it lacks."""

import functools
import unicodedata
from collections.abc import Collection, Iterable

from matplotlib.font_manager import (
    FontProperties,
    findfont,
    findSystemFonts,
    fontManager,
    get_font,
)

FONT = "DejaVu Sans"  # comes with matplotlib, so it is the same on every machine
MISSING = "□"
EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO")  # in the names of characters


def drawable(text: str) -> str:
    """Return text on one line, with a box for each character that no font has.

    Format characters, which are invisible, are removed: they could make one name look like
    another.
    """
    seen = (char for char in " ".join(text.split()) if unicodedata.category(char) != "Cf")
    return "".join(char if _is_plain(char) or _installed_font(char) else MISSING for char in seen)


def font_families(texts: Iterable[str]) -> list[str]:
    """Return the fonts that draw texts, for matplotlib, which looks for each character in turn."""
    others = {font for char in _special(texts) if (font := _installed_font(char))}
    return [FONT, *sorted(others)]


def font_hint(texts: Iterable[str]) -> str:
    """Return which characters of texts no font has and which fonts to install, to end a line."""
    missing = [char for char in _special(texts) if not _installed_font(char)]
    if not missing:
        return ""
    fonts = {_fitting_font(char): None for char in missing}
    shown, more = "".join(missing[:10]), " ..." if len(missing) > 10 else ""
    return f"; no font has {shown}{more}; to see them in figures, install {' and '.join(fonts)}"


def _special(texts: Iterable[str]) -> list[str]:
    chars = sorted(set().union(*texts))
    return [c for c in chars if not _is_plain(c) and unicodedata.category(c)[0] not in "CZ"]


def _is_plain(char: str) -> bool:
    return ord(char) in _plain_glyphs()


@functools.cache
def _plain_glyphs() -> Collection[int]:
    return get_font(findfont(FontProperties(family=FONT))).get_charmap().keys()


@functools.cache
def _installed_font(char: str) -> str | None:
    """Return the name of the first installed font that has a character."""
    fonts = map(_load, _paths())  # loaded one by one: a machine may have thousands
    return next((name for name, glyphs in fonts if ord(char) in glyphs), None)


@functools.cache
def _paths() -> list[str]:
    """Return the installed fonts, regular styles first, without those of boxes for anything."""
    paths = [path for path in findSystemFonts() if "lastresort" not in path.lower()]
    return sorted(paths, key=lambda path: ("regular" not in path.lower(), path))


@functools.cache
def _load(path: str) -> tuple[str, Collection[int]]:
    """Return the name of a font and its characters; none if it cannot be used."""
    try:
        font = get_font(path)
        if all(entry.fname != path for entry in fontManager.ttflist):
            fontManager.addfont(path)  # it was installed after matplotlib made its list
    except (RuntimeError, OSError, ValueError):  # a broken font
        return "", ()
    name = next(entry.name for entry in fontManager.ttflist if entry.fname == path)
    return name, font.get_charmap().keys() if font.scalable else ()


def _fitting_font(char: str) -> str:
    script = unicodedata.name(char, "").split(" ")[0]
    if script in EAST_ASIAN:
        return "Noto Sans CJK"
    is_letter = unicodedata.category(char)[0] in "LM"
    return f"Noto Sans {script.title()}" if is_letter and script else "Noto Emoji"
