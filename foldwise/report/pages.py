"""Render the pages of the report: Markdown from templates, and HTML from that Markdown."""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from foldwise.files.base import existing
from foldwise.report import formats, tables
from foldwise.report.figures import curves, matrices, scores
from foldwise.report.figures.style import SvgFigure, as_svg
from foldwise.report.inputs import ReportInputs

Picture = Sequence[str]  # data addresses of an embedded picture; a second one is for a dark page

_UNQUOTED = "/:;,=()'!*+-._~?@&$"  # need no escape in a quoted attribute
_TEXT = ("address", "code", "fenced", "table", "with_code")  # filters, functions of formats
_NUMBERS = (
    "count",
    "memory",
    "percent",
    "probability",
    "score",
    "seconds",
    "shape",
    "short",
    "shown_of",
)
_HTML = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
# Every expression is shown literally unless it is Markup.
_MARKDOWN = _HTML.overlay(finalize=formats.markdown)
_MARKDOWN.filters |= {name: getattr(formats, name) for name in (*_TEXT, *_NUMBERS)}
_MARKDOWN.globals["tables"] = tables


def draw_figures(inputs: ReportInputs) -> dict[str, SvgFigure]:
    """Return the figures by name, such as "scores".

    The matrix of pairs needs two finished architectures; costs and confusions need a chosen one.
    """
    comparison, chosen = inputs.comparison, inputs.verdict.chosen
    draw: dict[str, Callable[[], Figure]] = {
        "scores": partial(scores.draw_scores, comparison, inputs.scores),
        "curves": partial(curves.draw_curves, inputs.shown, inputs.curves),
    }
    if inputs.shown.pairs:
        draw["pairs"] = partial(matrices.draw_pairs, inputs.shown)
    if chosen is not None:
        draw["pareto"] = partial(scores.draw_pareto, comparison, inputs.verdict)
        draw["confusion"] = partial(
            matrices.draw_confusion, inputs.confusion, inputs.class_names, chosen
        )
    return {name: as_svg(d) for name, d in draw.items()}


def report_markdown(inputs: ReportInputs) -> str:
    """Return report.md; its links are relative to the folder of reports."""
    return render_markdown("report.md.j2", inputs=inputs)


def architectures_markdown(inputs: ReportInputs) -> str:
    """Return architectures.md; its links are relative to the folder of reports."""
    return render_markdown("architectures.md.j2", inputs=inputs)


def render_markdown(template: str, **context: object) -> str:
    """Return a page in Markdown; text in the context is shown literally unless it is Markup."""
    return _MARKDOWN.get_template(template).render(context)


def to_html(markdown: str, picture: Callable[[str], Picture]) -> str:
    """Return a page as one HTML file with all pictures embedded.

    The text above the first section stands above the table of contents.

    Args:
        markdown: The page, with a title.
        picture: Returns the picture for a relative path.
    """
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    for name, rule in _RENDER_RULES.items():
        parser.add_render_rule(name, rule)
    tokens = parser.parse(markdown.replace(formats.WORD_JOINER, ""))
    _annotate_tables(tokens)
    _annotate_figures(tokens)
    contents = _number_sections(tokens)
    first = next((at for at, token in enumerate(tokens) if token.tag == "h2"), len(tokens))
    lead, body = (
        Markup(parser.renderer.render(part, parser.options, {"picture": picture}))
        for part in (tokens[:first], tokens[first:])
    )
    template = _HTML.get_template("page.html.j2")
    return template.render(title=_text(tokens[1]), contents=contents, lead=lead, body=body)


def png_picture(path: Path) -> Picture:
    """Return the picture of a PNG file.

    Raises:
        InputError: If the file is missing.
    """
    return [f"data:image/png;base64,{base64.b64encode(existing(path).read_bytes()).decode()}"]


def svg_picture(figure: SvgFigure) -> Picture:
    """Return the picture of a figure."""
    return [*map(_svg_address, figure)]


def _annotate_tables(tokens: list[Token]) -> None:
    """Give tables the bold paragraph above them as caption, and headers of rows and columns."""
    for at in reversed([at for at, token in enumerate(tokens) if token.type == "table_open"]):
        tokens[at].meta["caption"] = _text(tokens[at - 2])
        del tokens[at - 3 : at]
    for at, token in enumerate(tokens):
        if token.type == "th_open":
            token.attrSet("scope", "col")
            for child in tokens[at + 1].children or []:  # unlike GitHub, wrap wide headers
                child.content = child.content.replace(formats.NO_BREAK_SPACE, " ")
        elif token.type == "tr_open" and tokens[at + 1].type == "td_open":
            tokens[at + 1].attrSet("scope", "row")
            tokens[at + 1].tag = tokens[at + 3].tag = "th"


def _annotate_figures(tokens: Sequence[Token]) -> None:
    """Make a figure of a picture alone in a paragraph, and its caption of the next paragraph."""
    for at, token in enumerate(tokens):
        kinds = [child.type for child in token.children or []]
        if kinds == ["image"] and tokens[at - 1].type == "paragraph_open":
            tokens[at - 1].tag, tokens[at + 1].hidden = "figure", True
            tokens[at + 2].tag, tokens[at + 4].type = "figcaption", "figure_close"


def _number_sections(tokens: Sequence[Token]) -> list[tuple[str, str]]:
    """Give headings an id, and return id and title of each section."""
    contents = []
    for at, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag != "h1":
            token.attrSet("id", f"section-{at}")
            if token.tag == "h2":
                contents.append((f"section-{at}", _text(tokens[at + 1])))
    return contents


def _text(inline: Token) -> str:
    return "".join(child.content for child in inline.children or [])


def _scrolling(label: str, content: str) -> str:
    """Return a region that scrolls sideways, also with the keyboard."""
    attributes = f'class="wide" role="region" aria-label="{escape(label)}" tabindex="0"'
    return f"<div {attributes}>\n{content}"


def _render_image(
    _renderer: object, tokens: Sequence[Token], at: int, _options: object, env: Mapping[str, Any]
) -> str:
    token = tokens[at]
    light, *dark = env["picture"](unquote(str(token.attrs["src"])))
    image = f'<img src="{escape(light)}" alt="{escape(_text(token))}">'
    if not dark:
        return image
    source = f'<source media="(prefers-color-scheme: dark)" srcset="{escape(dark[0])}">'
    return _scrolling("Chart", f"<picture>{source}{image}</picture>\n</div>")


def _render_table_start(_: object, tokens: Sequence[Token], at: int, *_rest: object) -> str:
    caption = tokens[at].meta["caption"]
    return _scrolling(caption, f"<table>\n<caption>{escape(caption)}</caption>\n")


def _render_code(_: object, tokens: Sequence[Token], at: int, *_rest: object) -> str:
    return _scrolling("Code", f"<pre><code>{escape(tokens[at].content)}</code></pre>\n</div>\n")


_RENDER_RULES: dict[str, Callable[..., str]] = {
    "image": _render_image,
    "table_open": _render_table_start,
    "table_close": lambda *_: "</table>\n</div>\n",
    "figure_close": lambda *_: "</figcaption>\n</figure>\n",
    "fence": _render_code,
}


def _svg_address(svg: str) -> str:
    """Return an SVG as a data address, which git compresses better than base64."""
    paths = re.sub(r'(?<= d=")[^"]*', lambda path: re.sub(r"\s*([A-Za-z])\s*", r"\1", path[0]), svg)
    line = re.sub(r"\s+", " ", re.sub(r">\s+<", "><", paths))
    if "'" not in line:
        line = line.replace('"', "'")  # takes one character instead of three
    return f"data:image/svg+xml,{quote(line, safe=_UNQUOTED)}"
