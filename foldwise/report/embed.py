"""Pictures inside the page, as data addresses."""

import base64
import re
from typing import NamedTuple
from urllib.parse import quote

_KEPT = "/:;,=()'!*+-._~?@&$"  # needs no escape inside the quotes of an attribute


class Picture(NamedTuple):
    """One picture of a page.

    Attributes:
        light: Address for a light page, or for both.
        dark: Address for a dark page; None: the same picture.
    """

    light: str
    dark: str | None


def png(image: bytes) -> Picture:
    """Return the picture of a PNG file."""
    return Picture(f"data:image/png;base64,{base64.b64encode(image).decode()}", None)


def chart(light: str, dark: str) -> Picture:
    """Return the picture of a chart.

    Args:
        light: SVG on a light ground.
        dark: The same on a dark one.
    """
    return Picture(_address(light), _address(dark))


def _address(svg: str) -> str:
    # Not base64: in the history of git, text of which little changes takes little.
    return f"data:image/svg+xml,{quote(_tight(svg), safe=_KEPT)}"


def _tight(svg: str) -> str:
    """Return the same drawing with few of the signs that take three in an address."""
    paths = re.sub(r'(?<= d=")[^"]*', lambda path: re.sub(r"\s*([A-Za-z])\s*", r"\1", path[0]), svg)
    line = re.sub(r"\s+", " ", re.sub(r">\s+<", "><", paths))
    return line if "'" in line else line.replace('"', "'")
