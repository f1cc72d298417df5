"""How figures look, and how they become SVG with the same bytes every time.

Colours: Okabe and Ito, "Color universal design", 2008, which colour-blind readers can tell apart;
without its yellow, which fades on white. Figures are eight inches wide, 768 pixels in a browser.
"""

import io
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure

WIDTH = 8.0  # inches
FADED = "#767676"  # the palest grey that is still legible on white

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P")
_SETTINGS: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "xtick.major.size": 0,  # the grid is enough
    "xtick.minor.size": 0,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
    "grid.color": "#E4E4E4",
    "legend.frameon": False,
    "figure.facecolor": "white",  # GitHub's dark pages show through a transparent one
    "text.parse_math": False,  # a $ in a name is a $
    "svg.fonttype": "path",  # the reader's fonts would change the widths of labels
    "svg.hashsalt": "foldwise",
}


class Mark(NamedTuple):
    """How one architecture is drawn in every figure."""

    colour: str
    marker: str


def marks(models: Sequence[str]) -> dict[str, Mark]:
    """Return the mark of each architecture; where colours run out, the marker changes.

    Args:
        models: In the order of params.yaml, so that a new one leaves the others' colours.
    """
    return {
        model: Mark(_COLOURS[index % len(_COLOURS)], _MARKERS[index // len(_COLOURS) % 6])
        for index, model in enumerate(models)
    }


def canvas(height: float) -> Figure:
    """Return an empty figure as wide as the page; a pixel of it is a point of the SVG.

    Args:
        height: Inches.
    """
    return Figure(figsize=(WIDTH, height), layout="constrained", dpi=72)


def as_svg(draw: Callable[[], Figure]) -> str:
    """Draw a figure and return it as SVG: the same bytes for the same figure, on white.

    Args:
        draw: Makes the figure; called with this style, whatever the user's own settings are.
    """
    text = io.StringIO()
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        draw().savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()
