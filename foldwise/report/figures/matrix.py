"""What matrices have in common: shaded cells with a number in each."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

Shares = NDArray[np.float64]
Shades = NDArray[np.float64]
UNDER_TEXT = 0.65  # opacity: ink on it has a contrast of 4.5 and more, on light and dark pages


def shades(shares: Shares, colour: str, strongest: float = UNDER_TEXT) -> Shades:
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


def shade(axes: Axes, cells: Shades) -> None:
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
