"""A page in Markdown as GitHub reads it; no text in it can become markup."""

import html
import re
from collections.abc import Sequence
from functools import singledispatch

from foldwise.report.blocks import (
    Block,
    Bullets,
    Code,
    CodeBlock,
    Details,
    Document,
    Drawing,
    Figure,
    Line,
    Link,
    Paragraph,
    Piece,
    Section,
    Strong,
    Table,
    address,
    pieces,
)
from foldwise.report.visible import visible, visible_lines

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~$!&])")
# What GitHub makes out of plain text: @person, #12, :cat:, http://, www.; not with a character
# of no width between.
_SIGNAL = re.compile(r"(?<=[@#:])(?=[\w/+-])|(?<=www)(?=\.)", re.IGNORECASE)
_JOINER = "\N{WORD JOINER}"
_LIST = re.compile(r"^(\d{1,9})(?=[.)])|^(?=[-+=])")  # begins a list, or rules off


def to_markdown(document: Document) -> str:
    """Return the page; links and pictures are relative to its folder."""
    parts = [f"# {escape(document.title)}", *(_render(block, 2) for block in document.blocks)]
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Return text that shows as it is, inside a paragraph or a table cell: no markup, one line."""
    return _MARKUP.sub(r"\\\1", _SIGNAL.sub(_JOINER, visible(text)))


def _render(block: Block, level: int) -> str:
    """Return a block; headings in it begin at a level."""
    if isinstance(block, Section):
        inner = [_render(one, level + 1) for one in block.blocks]
        return "\n\n".join([f"{'#' * level} {escape(block.title)}", *inner])
    if isinstance(block, Details):
        inner = [_render(one, level) for one in block.blocks]
        summary = html.escape(visible(block.summary))  # in a line of HTML there is no Markdown
        return "\n\n".join([f"<details><summary>{summary}</summary>", *inner, "</details>"])
    return _leaf(block)


@singledispatch
def _leaf(block: Block) -> str:
    """Return a block without others in it."""
    raise TypeError(f"no Markdown for {type(block).__name__}")


@_leaf.register
def _(block: Paragraph) -> str:
    return _line(block.line)


@_leaf.register
def _(block: Bullets) -> str:
    return "\n".join(f"- {_line(line)}" for line in block.lines)


@_leaf.register
def _(block: Table) -> str:
    rule = [":---"] * block.n_text + ["---:"] * (len(block.header) - block.n_text)
    header = [_unbroken(escape(name)) for name in block.header]
    rows = [header, rule, *(_cells(row, block.n_text) for row in block.rows)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"**{escape(block.caption)}**\n\n{table}"


@_leaf.register
def _(block: Figure) -> str:
    return f"![{escape(block.alt)}]({address(block.path)})\n\n{_line(block.caption)}"


@_leaf.register
def _(block: CodeBlock) -> str:
    return _fenced(block.text, block.language)


@_leaf.register
def _(block: Drawing) -> str:
    return _fenced(block.mermaid, "mermaid")


def _fenced(text: str, language: str) -> str:
    """Return a text between fences that are longer than any in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{visible_lines(text)}\n{fence}"


def _line(line: Line) -> str:
    """Return a line that begins no list."""
    return _LIST.sub(r"\1\\", _inline(line))


def _inline(line: Line) -> str:
    return "".join(map(_piece, pieces(line)))


def _piece(piece: Piece) -> str:
    if isinstance(piece, Strong):
        return f"**{escape(piece.text)}**"
    if isinstance(piece, Code):
        return _code(visible(piece.text))
    if isinstance(piece, Link):
        return f"[{escape(piece.text)}]({address(piece.path)})"
    # The spaces at its ends part it from its neighbours.
    return f"{' ' * piece.startswith(' ')}{escape(piece)}{' ' * piece.endswith(' ')}"


def _code(text: str) -> str:
    if re.search(r"[`|]", text):  # would end the code, or the cell of a table
        return f"<code>{escape(text)}</code>"
    return f"`{text}`"


def _cells(row: Sequence[Line], n_text: int) -> list[str]:
    cells = [_inline(cell) for cell in row]
    return cells[:n_text] + [_unbroken(cell) for cell in cells[n_text:]]


def _unbroken(cell: str) -> str:
    return cell.replace(" ", "\N{NO-BREAK SPACE}")
