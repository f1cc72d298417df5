"""Text from elsewhere, such as the name of a class, so that all of it is seen."""

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_SPACES = re.compile(r"[ \t\n\v\f\r\x1c-\x1f\x85\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}]+")
# Controls, halves of characters, and what would turn the direction of all text after it.
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff"
    r"\N{LEFT-TO-RIGHT EMBEDDING}-\N{RIGHT-TO-LEFT OVERRIDE}"
    r"\N{LEFT-TO-RIGHT ISOLATE}-\N{POP DIRECTIONAL ISOLATE}]"
)


def visible(text: str) -> str:
    """Return a text on one line in which every character is seen or a space.

    What has no shape, or would change how other text looks, becomes �; line ends and several
    spaces become one space; the spaces at both ends go, and what is nothing but spaces becomes �.
    Once more changes nothing.
    """
    seen = _UNSEEN.sub(REPLACEMENT, _SPACES.sub(" ", text)).strip()
    return seen or REPLACEMENT * bool(text)


def visible_lines(text: str) -> str:
    """Return a text of several lines in which every other character is seen."""
    return "\n".join(_UNSEEN.sub(REPLACEMENT, line) for line in text.split("\n"))
