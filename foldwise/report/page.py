"""A page in HTML: one file that needs no other, no network and no script."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import singledispatchmethod
from xml.etree.ElementTree import Element

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
from foldwise.report.embed import Picture
from foldwise.report.page_style import CSS
from foldwise.report.tree import Child, as_html, element, verbatim
from foldwise.report.visible import visible_lines

# Were there a hole in the escaping, still nothing would run or be fetched.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def to_html(document: Document, pictures: Mapping[str, Picture]) -> str:
    """Return the page; whoever looks at it in the dark sees it dark.

    The first block stands above the list of contents.

    Args:
        document: Its links are relative to the folder of the page.
        pictures: By the path of the figure.
    """
    return as_html(_Page(pictures).of(document))


class _Page:
    """Makes elements of blocks; headings are numbered as they come."""

    def __init__(self, pictures: Mapping[str, Picture]) -> None:
        self._pictures = pictures
        self._numbers = itertools.count(1)

    def of(self, document: Document) -> Element:
        """Return the `html` element."""
        first, *others = document.blocks
        shown = [self._block(block, 2) for block in others]
        titles = [block.title for block in others if isinstance(block, Section)]
        ids = [one.attrib["aria-labelledby"] for one in shown if one.tag == "section"]
        body = element(
            "body",
            element("a", "Skip to the report", href="#report", class_="skip"),
            element(
                "main",
                element("h1", document.title),
                self._block(first, 2),
                _contents(titles, ids),
                *shown,
                id="report",
            ),
        )
        return element("html", _head(document.title), body, lang="en")

    def _block(self, block: Block, level: int) -> Element:
        """Return a block; headings in it begin at a level."""
        if isinstance(block, Section):
            number = f"section-{next(self._numbers)}"
            heading = element(f"h{level}", block.title, id=number)
            inner = [self._block(one, level + 1) for one in block.blocks]
            return element("section", heading, *inner, aria_labelledby=number)
        if isinstance(block, Details):
            inner = [self._block(one, level) for one in block.blocks]
            return element("details", element("summary", block.summary), *inner)
        return self._leaf(block)

    @singledispatchmethod
    def _leaf(self, block: Block) -> Element:
        """Return a block without others in it."""
        raise TypeError(f"no HTML for {type(block).__name__}")

    @_leaf.register
    def _(self, block: Paragraph) -> Element:
        return element("p", *_inline(block.line))

    @_leaf.register
    def _(self, block: Bullets) -> Element:
        return element("ul", *(element("li", *_inline(line)) for line in block.lines))

    @_leaf.register
    def _(self, block: Table) -> Element:
        sides = ["text"] * block.n_text + ["number"] * (len(block.header) - block.n_text)
        header = [
            element("th", name, scope="col", class_=side)
            for name, side in zip(block.header, sides, strict=True)
        ]
        table = element(
            "table",
            element("caption", block.caption),
            element("thead", element("tr", *header)),
            element("tbody", *(_row(row, sides) for row in block.rows)),
        )
        return _scrolling(block.caption, table)

    @_leaf.register
    def _(self, block: Figure) -> Element:
        light, dark = self._pictures[block.path]
        image = element("img", src=light, alt=block.alt)
        caption = element("figcaption", *_inline(block.caption))
        if dark is None:
            return element("figure", image, caption)
        source = element("source", media="(prefers-color-scheme: dark)", srcset=dark)
        chart = element("picture", source, image)
        wide = element("div", chart, class_="wide", role="group", aria_label="Chart", tabindex="0")
        return element("figure", wide, caption, class_="chart")

    @_leaf.register
    def _(self, block: CodeBlock) -> Element:
        text = verbatim("code", visible_lines(block.text))
        return _scrolling(block.label, element("pre", text))

    @_leaf.register
    def _(self, block: Drawing) -> Element:
        return self._leaf(block.instead)


def _head(title: str) -> Element:
    policy = {"http-equiv": "Content-Security-Policy"}
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", content=POLICY, **policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        verbatim("style", CSS),
    )


def _contents(titles: Sequence[str], ids: Sequence[str]) -> Element:
    links = [
        element("li", element("a", title, href=f"#{number}"))
        for title, number in zip(titles, ids, strict=True)
    ]
    return element("nav", element("ul", *links), aria_label="Contents")


def _scrolling(label: str, wide: Element) -> Element:
    """Return a region that scrolls sideways by itself, with the keyboard, too."""
    return element("div", wide, class_="wide", role="region", aria_label=label, tabindex="0")


def _row(row: Sequence[Line], sides: Sequence[str]) -> Element:
    first, *others = zip(row, sides, strict=True)
    name = element("th", *_inline(first[0]), scope="row", class_=first[1])
    return element("tr", name, *(element("td", *_inline(at), class_=side) for at, side in others))


def _inline(line: Line) -> Iterator[Child]:
    return map(_piece, pieces(line))


def _piece(piece: Piece) -> Child:
    if isinstance(piece, Strong):
        return element("strong", piece.text)
    if isinstance(piece, Code):
        return element("code", piece.text)
    if isinstance(piece, Link):
        return element("a", piece.text, href=address(piece.path))
    return piece
