"""Format numbers, and escape text from outside, for the pages of the report."""

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from markupsafe import Markup

NONE = "–"  # stands for a missing number
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
WORD_JOINER = "\N{WORD JOINER}"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"

_SPACES = re.compile(r"[ \t\n\v\f\r\x1c-\x1f\x85\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}]+")
_NONCHARACTERS = "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
# Controls, surrogates, noncharacters, and characters that change the direction of later text.
_INVISIBLE = re.compile(
    rf"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_NONCHARACTERS}"
    r"\N{LEFT-TO-RIGHT EMBEDDING}-\N{RIGHT-TO-LEFT OVERRIDE}"
    r"\N{LEFT-TO-RIGHT ISOLATE}-\N{POP DIRECTIONAL ISOLATE}]"
)
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~$!&])")
# GitHub turns @person, #12, :cat:, http:// and www. into links and pictures. A word joiner, which
# has no width, prevents that.
_REFERENCE = re.compile(r"(?<=[@#:])(?=[\w/+-])|(?<=www)(?=\.)", re.IGNORECASE)
_LINE_START = re.compile(r"^(\d{1,9})(?=[.)](?:\s|$))|^(?=[-+=])")  # begins a list or a rule

Row = list[str]  # Markup is shown as it is, other text literally


class Table(NamedTuple):
    """A table; the first cell of a row names the row."""

    header: Sequence[str]
    rows: Sequence[Row]  # each as long as the header
    n_text: int = 1  # columns from the left that hold text; the others hold numbers


def short(count: float) -> str:
    """Return a large count in about three digits, for example "188 k" or "2.33 M"."""
    for size, unit in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if count >= 0.9995 * size:
            return f"{count / size:.3g}{unit}"
    return f"{count:.3g}"


def memory(n_bytes: float) -> str:
    """Return bytes in about three digits, for example "584 MB" or "2.33 GB"."""
    return f"{short(n_bytes)}B"


def percent(share: float) -> str:
    """Return a share as a percentage, for example "5.2 %"."""
    return f"{100 * share:.1f} %"


def score(value: float | None) -> str:
    """Return a metric, or a difference of two metrics, with four decimals."""
    return NONE if value is None else f"{value:.4f}"


def change(value: float | None) -> str:
    """Return a difference with its sign."""
    return NONE if value is None else f"{value:+.4f}"


def probability(value: float) -> str:
    """Return a probability; only an exact 0 or 1 is shown as 0 or 1."""
    if 0 < value < 0.001:
        return "< 0.001"
    return "> 0.999" if 0.999 < value < 1 else f"{value:.3f}"


def seconds(value: float) -> str:
    """Return seconds, with decimals below 100."""
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def milliseconds(value: float) -> str:
    """Return seconds as milliseconds in three digits, for example "1.34"."""
    return f"{1000 * value:.3g}" if value < 1 else f"{1000 * value:,.0f}"


def count(number: int, noun: str) -> str:
    """Return a number of things, for example "1 image" or "12,000 images"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shown_of(n_shown: int, n: int, noun: str) -> str:
    """Return which are shown, for example "The first 20 images" or "The only image"."""
    if n == 1:
        return f"The only {noun}"
    return f"{'All' if n_shown == n else 'The first'} {count(n_shown, noun)}"


def shape(sizes: list[int]) -> str:
    """Return a shape, for example "3×32×32"."""
    return "×".join(map(str, sizes))


def visible(text: str) -> str:
    """Return the text on one line, with U+FFFD for each invisible character.

    Line ends and runs of spaces become one space, and spaces at both ends are removed. Text that
    is only spaces becomes U+FFFD. A second call changes nothing.
    """
    seen = _INVISIBLE.sub(REPLACEMENT, _SPACES.sub(" ", text)).strip()
    return seen or REPLACEMENT * bool(text)


def visible_lines(text: str) -> str:
    """Return text of several lines with U+FFFD for each invisible character in a line."""
    return "\n".join(_INVISIBLE.sub(REPLACEMENT, line) for line in text.split("\n"))


def inline(value: object) -> Markup:
    """Return a value as Markdown that GitHub shows literally, within a line."""
    if isinstance(value, Markup):
        return value
    text = _REFERENCE.sub(WORD_JOINER, visible(str(value)))
    return Markup(_MARKUP.sub(r"\\\1", text))


def markdown(value: object) -> Markup:
    """Return a value as Markdown that GitHub shows literally, also at the start of a line."""
    return value if isinstance(value, Markup) else _at_line_start(inline(value))


def code(text: str) -> Markup:
    """Return a Markdown code span."""
    if re.search(r"[`|]", text):  # would end the span, or the cell of a table
        return Markup(f"<code>{inline(text)}</code>")
    return Markup(f"`{visible(text)}`")


def with_code(text: str) -> Markup:
    """Return text in which the parts between backticks are code spans."""
    parts = re.split(r"`([^`]+)`", text)
    pieces = [code(part) if index % 2 else _segment(part) for index, part in enumerate(parts)]
    return _at_line_start(Markup("").join(pieces))


def fenced(text: str, language: str = "") -> Markup:
    """Return a Markdown code block with a fence that is longer than any in the text."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return Markup(f"{fence}{language}\n{visible_lines(text)}\n{fence}")


def address(path: str) -> Markup:
    """Return a percent-encoded relative address of a file."""
    return Markup(quote(path, errors="replace"))


def table(contents: Table, caption: str) -> Markup:
    """Return a table in Markdown below its caption; numbers are aligned to the right."""
    n = contents.n_text
    alignment = [":---"] * n + ["---:"] * (len(contents.header) - n)
    rows: list[Sequence[str]] = [[_unbroken(name) for name in contents.header], alignment]
    rows += [[*map(inline, row[:n]), *map(_unbroken, row[n:])] for row in contents.rows]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return Markup(f"**{inline(caption)}**\n\n{lines}")


def _unbroken(text: str) -> Markup:
    """Return Markdown that is never wrapped."""
    return Markup(inline(text).replace(" ", NO_BREAK_SPACE))


def _at_line_start(text: Markup) -> Markup:
    return Markup(_LINE_START.sub(r"\1\\", text))


def _segment(text: str) -> Markup:
    """Return a part of a line as Markdown; spaces at its ends separate it from its neighbours."""
    return " " * text.startswith(" ") + inline(text) + " " * text.endswith(" ")
