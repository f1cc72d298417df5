"""Markdown as GitHub reads it: tables, and text that cannot become markup."""

import re
from collections.abc import Iterable, Sequence

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~$!&])")


def escape(text: str) -> str:
    """Return text that shows as it is, in a paragraph or a table cell: no markup, one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def unbroken(text: str) -> str:
    """Return text that stays on one line: its spaces do not break."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def table(header: Sequence[str], rows: Iterable[Sequence[str]], n_text: int = 1) -> str:
    """Return a table, numbers to the right.

    Args:
        header: Markdown of the first row.
        rows: Markdown of the others, as long as the header.
        n_text: How many columns from the left hold text.
    """
    rule = ["---"] * n_text + ["---:"] * (len(header) - n_text)
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows))


def section(title: str, *paragraphs: str) -> str:
    """Return a heading and its paragraphs, blank lines between; empty paragraphs are left out."""
    return "\n\n".join([f"## {title}", *(one for one in paragraphs if one)])


def bullets(lines: Iterable[str]) -> str:
    """Return a list of one line a bullet."""
    return "\n".join(f"- {line}" for line in lines)
