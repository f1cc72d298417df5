"""How figures look, and how they become SVG with the same bytes every time.

Colours: Okabe and Ito, "Color universal design", 2008, which colour-blind readers can tell apart;
without its yellow, which fades on white; brighter ones of the same hues on dark. Those of the page
itself (ink, faded, paper) are the last of the colour cycle, so that one drawing does for both.
Figures are eight inches wide, 768 pixels in a browser.
"""

import io
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from foldwise.files.comparison import Comparison
from foldwise.report.figures.labels import shorten

Floats = NDArray[np.float64]

WIDTH = 8.0  # inches
UNDER_TEXT = 0.65  # opacity: ink on it has a contrast of 4.5 and more, on light and dark pages
LINE = 105  # letters of a note, so that it stays inside the figure
INK, FADED, PAPER = "C6", "C7", "C8"  # of the cycle below

_MARKERS = ("o", "s", "^", "D", "v", "P")
_N_COLOURS = 7  # of marks; ink is the last
_SETTINGS: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.formatter.useoffset": False,
    "xtick.major.size": 0,  # the grid is enough
    "xtick.minor.size": 0,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
    "legend.frameon": False,
    "text.parse_math": False,  # a $ in a name is a $
    "svg.fonttype": "path",  # the reader's fonts would change the widths of labels
    "svg.hashsalt": "foldwise",
}


class Page(NamedTuple):
    """Colours that depend on what the figure lies on."""

    ink: str
    faded: str  # as pale as is still legible
    paper: str  # inside hollow marks
    grid: str
    background: str
    colours: tuple[str, ...]  # of marks


LIGHT = Page(
    ink="#000000",
    faded="#6E6E6E",
    paper="#FFFFFF",
    grid="#E4E4E4",
    background="#FFFFFF",  # or a dark page would show through
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


class Mark(NamedTuple):
    """How one architecture is drawn in every figure."""

    colour: str
    marker: str


def marks(models: Sequence[str]) -> dict[str, Mark]:
    """Return the mark of each architecture; 42 differ, neighbours in both colour and marker.

    Args:
        models: In the order of params.yaml, so that a new one leaves the others' marks.
    """
    return {
        model: Mark(f"C{index % _N_COLOURS}", _MARKERS[index % len(_MARKERS)])
        for index, model in enumerate(models)
    }


def canvas(height: float) -> Figure:
    """Return an empty figure as wide as the page; a pixel of it is a point of the SVG.

    Args:
        height: Inches.
    """
    return Figure(figsize=(WIDTH, height), layout="constrained", dpi=72)


def words(*lines: str) -> Figure:
    """Return a figure that says in words why there is nothing to draw; empty lines are left out."""
    text = _broken(lines)
    figure = canvas(height=0.6 + 0.2 * len(text.splitlines()))
    figure.text(0.5, 0.5, text, ha="center", va="center", color=FADED)
    return figure


def note(figure: Figure, *lines: str) -> None:
    """Write lines below a figure; empty ones are left out."""
    figure.supxlabel(_broken(lines), fontsize=9, color=FADED)


def _broken(lines: Sequence[str]) -> str:
    """Return the lines, broken so that they stay inside the figure."""
    return "\n".join(textwrap.fill(line, LINE, break_on_hyphens=False) for line in lines if line)


def failed(comparison: Comparison) -> str:
    """Return "failed: " and the names of those that diverged, or ""."""
    names = [shorten(one.name) for one in comparison.architectures if one.scores is None]
    return f"failed: {', '.join(names)}" if names else ""


def at_least(axes: Axes, axis: str, span: float) -> None:
    """Widen an axis that shows less than a span: no chasm out of a hair.

    Args:
        axes: With its data drawn.
        axis: "x" or "y".
        span: In units of the data.
    """
    low, high = getattr(axes, f"get_{axis}lim")()
    if high - low < span:
        middle = (low + high) / 2
        getattr(axes, f"set_{axis}lim")(middle - span / 2, middle + span / 2)


def shades(shares: Floats, colour: str, strongest: float = UNDER_TEXT) -> Floats:
    """Return a colour through which the page shows the more, the smaller the share.

    Args:
        shares: (...) 0 .. 1.
        colour: Any that matplotlib knows.
        strongest: Opacity of a share of 1.

    Returns:
        (..., 4) red, green, blue and opacity, 0 .. 1.
    """
    colours = np.empty((*shares.shape, 4))
    colours[..., :3] = to_rgb(colour)
    colours[..., 3] = strongest * shares
    return colours


def shade(axes: Axes, cells: Floats) -> None:
    """Draw cells with sharp edges, as wide as the page lets them be.

    Args:
        axes: Empty.
        cells: (rows, columns, 4).
    """
    # One picture: a path a cell is a hundred times as large for 100 classes.
    axes.imshow(cells, aspect="auto", interpolation="none")
    axes.grid(visible=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(True)


def write(axes: Axes, row: float, column: float, text: str, **style: Any) -> None:  # noqa: ANN401
    """Write into the middle of a cell."""
    axes.text(column, row, text, ha="center", va="center", **style)


def as_svg(draw: Callable[[], Figure], *, dark: bool = False) -> str:
    """Draw a figure and return it as SVG: the same bytes for the same figure.

    Its ids repeat from figure to figure: show each as an image of its own, from a file or a data
    URI, and do not paste two into one page.

    Args:
        draw: Makes the figure; called with this style.
        dark: For a dark page, which shows through; otherwise on white.
    """
    text = io.StringIO()
    with styled(dark=dark):
        draw().savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return _smaller(text.getvalue())


@contextmanager
def styled(*, dark: bool = False) -> Iterator[None]:
    """Draw in this style inside the block, whatever the user's own settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS | _colours(DARK if dark else LIGHT))
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


def _smaller(svg: str) -> str:
    """Return an SVG of the same look in fewer bytes, which are committed with every report.

    Coordinates to a hundredth of a point, short names of glyphs, and no indents, names of groups
    or comments: these repeat every label.
    """
    bare = re.sub(r"\n *", "\n", re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL))
    bare = re.sub(r'<g id="[^"]*"', "<g", bare).replace("DejaVuSans-", "g")
    places = re.compile(r'\b(?:d|x|y)="[^"]*"|translate\([^)]*\)')
    return places.sub(lambda place: re.sub(r"(\.\d\d)\d+", r"\1", place[0]), bare)
