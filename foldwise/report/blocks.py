"""A page as typed blocks, written once and shown in Markdown and in HTML.

Every text in a block is plain: it may hold anything, and only the renderers escape it. So there is
no way to write markup but through a block.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote


@dataclass(frozen=True)
class Strong:
    """Text that stands out."""

    text: str


@dataclass(frozen=True)
class Code:
    """Text to type, or a key of a file."""

    text: str


@dataclass(frozen=True)
class Link:
    """Text that leads to a file."""

    text: str
    path: str  # relative to the page


Piece: TypeAlias = str | Strong | Code | Link
Line: TypeAlias = Piece | tuple[Piece, ...]  # several pieces stand side by side


@dataclass(frozen=True)
class Paragraph:
    """A few sentences."""

    line: Line


@dataclass(frozen=True)
class Bullets:
    """A list without an order."""

    lines: Sequence[Line]


@dataclass(frozen=True)
class Table:
    """Rows under a header, the first cell of each names it."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Line]]  # each as long as the header
    n_text: int = 1  # columns from the left that hold text; the others hold numbers


@dataclass(frozen=True)
class Figure:
    """A picture that lies beside the page."""

    path: str  # relative to the page
    alt: str  # for those who do not see it
    caption: Line


@dataclass(frozen=True)
class CodeBlock:
    """Text as it is in a file, line by line."""

    label: str  # what it is
    language: str
    text: str


@dataclass(frozen=True)
class Drawing:
    """A diagram in Mermaid, and what says the same where it cannot be drawn."""

    mermaid: str
    instead: "Block"


@dataclass(frozen=True)
class Details:
    """Blocks that are folded away under a line that says what they are."""

    summary: str
    blocks: Sequence["Block"]


@dataclass(frozen=True)
class Section:
    """Blocks under a heading; how deep it lies is the level of the heading."""

    title: str
    blocks: Sequence["Block"]


Block: TypeAlias = Paragraph | Bullets | Table | Figure | CodeBlock | Drawing | Details | Section


@dataclass(frozen=True)
class Document:
    """A page."""

    title: str
    blocks: Sequence[Block]


def present(*blocks: Block | None) -> list[Block]:
    """Return the blocks that there are."""
    return [block for block in blocks if block is not None]


def pieces(line: Line) -> tuple[Piece, ...]:
    """Return the pieces of a line, also where it is a single one."""
    return line if isinstance(line, tuple) else (line,)


def address(path: str) -> str:
    """Return the address of a file: nothing in its name makes it more than a path."""
    return quote(path, errors="replace")


def figures(blocks: Sequence[Block]) -> Iterator[Figure]:
    """Yield the pictures in the order in which they are shown."""
    for block in blocks:
        if isinstance(block, Figure):
            yield block
        elif isinstance(block, Section | Details):
            yield from figures(block.blocks)
