"""The style of all figures, and their conversion to deterministic SVG.

Colours: Okabe and Ito, "Color universal design", 2008, which colour-blind readers can distinguish,
without the yellow, which is too pale on white. The dark page has brighter colours of the same hues.
The colours of the page itself (ink, faded, paper) end the colour cycle, so the same drawing code
serves light and dark, and most figures are drawn once for both. Figures are 8 inches wide, 768
pixels in a browser.
"""

import io
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from foldwise.core.errors import first_few
from foldwise.files.comparison import Comparison

WIDTH = 8.0  # inches
LONGEST = 40  # characters of an architecture: a third of the page
LINE = 105  # characters of a note, so that it stays inside the figure
MOST_NAMED = 10  # architectures in a note; the tables have all
INK, FADED, PAPER = "C6", "C7", "C8"  # of the cycle below

_MARKERS = ("o", "s", "^", "D", "v", "P")
_N_COLOURS = 7  # of marks; the last is ink
_SETTINGS: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.formatter.useoffset": False,
    "xtick.major.size": 0,  # the grid shows the places of ticks
    "xtick.minor.size": 0,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
    "legend.frameon": False,
    "text.parse_math": False,  # "$" in a name stays "$"
    "svg.fonttype": "path",  # other fonts would change the widths of labels
    "svg.hashsalt": "foldwise",
}


class Page(NamedTuple):
    """Colours that depend on the background of the page."""

    ink: str
    faded: str  # the palest legible text
    paper: str  # fills hollow marks
    grid: str
    background: str
    colours: tuple[str, ...]  # of marks


LIGHT = Page(
    ink="#000000",
    faded="#6E6E6E",
    paper="#FFFFFF",
    grid="#E4E4E4",
    background="#FFFFFF",  # so that a dark page does not show through
    colours=("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
)
DARK = Page(
    ink="#E6EDF3",
    faded="#9DA7B3",
    paper="#0D1117",
    grid="#30363D",
    background="none",
    colours=("#3D8BFD", "#F0703A", "#12B886", "#E08BBB", "#F2AE1C", "#7CCBF5"),
)


# As DARK. All colours differ, so that each can be replaced in the text of the SVG.
DRAWN = DARK._replace(background="#123456")


class SvgFigure(NamedTuple):
    """A figure as SVG, for a light and for a dark page."""

    light: str
    dark: str


class Mark(NamedTuple):
    """Colour and marker of one architecture in every figure."""

    colour: str
    marker: str


def marks(models: Sequence[str]) -> dict[str, Mark]:
    """Return 42 different marks; neighbours differ in both colour and marker.

    Args:
        models: In the order of params.yaml, so that an added model changes no other mark.
    """
    return {
        model: Mark(f"C{index % _N_COLOURS}", _MARKERS[index % len(_MARKERS)])
        for index, model in enumerate(models)
    }


def canvas(height: float) -> Figure:
    """Return an empty figure as wide as the page; one pixel is one point of the SVG.

    Args:
        height: Inches.
    """
    return Figure(figsize=(WIDTH, height), layout="constrained", dpi=72)


def note(figure: Figure, *lines: str) -> None:
    """Write lines below a figure, wrapped to its width; skips empty lines."""
    text = "\n".join(textwrap.fill(line, LINE, break_on_hyphens=False) for line in lines if line)
    figure.supxlabel(text, fontsize=9, color=FADED)


def shorten(text: str, longest: int = LONGEST) -> str:
    """Return a text of limited length; a longer text has "…" in place of its middle.

    Args:
        text: One line.
        longest: Characters, at least 3.
    """
    if len(text) <= longest:
        return text
    tail = (longest - 1) // 2
    return f"{text[: longest - 1 - tail]}…{text[-tail:]}"


def apart(places: Sequence[float], step: float, last: float) -> list[float]:
    """Return positions near the original ones, in their order, at least a step apart.

    Args:
        places: Ascending, 0 .. last.
        step: In the same unit; all must fit.
        last: The highest position.
    """
    moved: list[float] = []
    for position in places:  # as low as the previous position allows
        moved.append(max(position, moved[-1] + step) if moved else position)
    for index in reversed(range(len(moved))):  # back below the highest position
        moved[index] = min(moved[index], last)
        last = moved[index] - step
    return moved


def failed(comparison: Comparison) -> str:
    """Return the names of the architectures without a score and of those kept out, or ""."""
    groups = {
        "failed": comparison.diverged,
        "stopped": comparison.stopped,
        "kept out of the choice": comparison.kept_out,
    }
    return "; ".join(
        f"{reason}: {first_few([shorten(each.name) for each in group], MOST_NAMED)}"
        for reason, group in groups.items()
        if group
    )


def at_least(axes: Axes, axis: str, span: float) -> None:
    """Widen an axis that shows less than a span, so that tiny differences do not look large.

    Args:
        axes: With its data drawn.
        axis: "x" or "y".
        span: In units of the data.
    """
    low, high = getattr(axes, f"get_{axis}lim")()
    if high - low < span:
        middle = (low + high) / 2
        getattr(axes, f"set_{axis}lim")(middle - span / 2, middle + span / 2)


def as_svg(draw: Callable[[], Figure]) -> SvgFigure:
    """Return a figure as SVG: the same bytes for the same figure.

    On a light page, the background is white; on a dark one, it is transparent.

    Figures share ids. Show each as a separate image, from a file or a data URI, and do not inline
    two SVGs in one page.

    Args:
        draw: Returns the figure; called with this style.
    """
    svg = draw_svg(draw, DRAWN)
    # The colours of pixels are no text that could be replaced.
    light = draw_svg(draw, LIGHT) if "<image " in svg else _recoloured(svg, LIGHT)
    return SvgFigure(light, _recoloured(svg, DARK))


def draw_svg(draw: Callable[[], Figure], page: Page = LIGHT) -> str:
    """Return a figure for one page as SVG."""
    text = io.StringIO()
    with styled(page):
        draw().savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return _smaller(text.getvalue())


@contextmanager
def styled(page: Page = LIGHT) -> Iterator[None]:
    """Use this style inside the block, whatever the user's matplotlib settings."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS | _colours(page))
        yield


def _colours(page: Page) -> dict[str, Any]:
    cycle = cycler(color=[*page.colours, page.ink, page.faded, page.paper])
    ink = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    return {
        "axes.prop_cycle": cycle,
        "grid.color": page.grid,
        "figure.facecolor": page.background,
        "savefig.facecolor": page.background,
        "axes.facecolor": "none",
        **dict.fromkeys(ink, page.ink),
    }


def _recoloured(svg: str, page: Page) -> str:
    """Return the drawing with the colours of a page."""
    replaced = {
        old.lower(): new.lower()
        for old, new in zip((*DRAWN[:-1], *DRAWN.colours), (*page[:-1], *page.colours), strict=True)
    }
    return re.sub(r"#[0-9a-f]{6}\b", lambda match: replaced.get(match[0], match[0]), svg)


def _smaller(svg: str) -> str:
    """Return the same drawing in fewer bytes, because figures are committed with every report.

    Coordinates are cut to a hundredth of a point and names of glyphs shortened. Indents, names of
    groups and comments, which repeat every label, are removed.
    """
    bare = re.sub(r"\n *", "\n", re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL))
    bare = re.sub(r'<g id="[^"]*"', "<g", bare).replace("DejaVuSans-", "g")
    places = re.compile(r'\b(?:d|x|y)="[^"]*"|translate\([^)]*\)')
    return places.sub(lambda match: re.sub(r"(\.\d\d)\d+", r"\1", match[0]), bare)
