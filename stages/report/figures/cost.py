"""What accuracy costs: seconds per epoch, and parameters."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from stages.contracts.comparison import Comparison
from stages.report.figures.labels import GAP, Point, nearest, place
from stages.report.figures.style import FADED, Mark, canvas, marks

Spot = tuple[str, float, float]  # name, cost, accuracy


def draw(comparison: Comparison) -> Figure:
    """Return the figure: up is better, left is cheaper; those that failed are named below.

    Args:
        comparison: What compare found.
    """
    rows = comparison.architectures
    every = marks(comparison.design.models)
    figure = canvas(height=7)
    upper, lower = figure.subplots(2, 1)
    finished = [(one, one.scores, one.cost) for one in rows if one.scores and one.cost]
    seconds = [(one.name, cost.seconds_per_epoch, s.mean) for one, s, cost in finished]
    parameters = [(one.name, float(one.parameters), s.mean) for one, s, _ in finished]
    _draw_panel(upper, seconds, every, "seconds per epoch")
    _draw_panel(lower, parameters, every, "parameters")
    failed = [one.name for one in rows if one.scores is None]
    if failed:
        figure.supxlabel(f"failed: {', '.join(failed)}", fontsize=9, color=FADED, wrap=True)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # labels are placed on this layout
    for axes, spots in ((upper, seconds), (lower, parameters)):
        _label(axes, spots, every)
    return figure


def _draw_panel(axes: Axes, spots: Sequence[Spot], every: Mapping[str, Mark], what: str) -> None:
    axes.set_xlabel(what)
    axes.set_ylabel("mean accuracy")
    if not spots:
        axes.text(0.5, 0.5, "no architecture finished", ha="center", color=FADED)
        return
    for name, cost, accuracy in spots:
        axes.plot(cost, accuracy, every[name].marker, color=every[name].colour, markersize=8)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(_short))
    axes.xaxis.set_minor_formatter(NullFormatter())
    low, high = min(spot[1] for spot in spots), max(spot[1] for spot in spots)
    room = max(2, (high / low) ** 0.3)  # for the names, and for a tick or two
    axes.set_xlim(low / room, high * room)
    few = high / low > 300  # with more ticks than the powers of ten they would touch
    axes.xaxis.set_major_locator(LogLocator(subs=(1,) if few else (1, 2, 5)))
    low, high = min(spot[2] for spot in spots), max(spot[2] for spot in spots)
    margin = 0.01 + 0.2 * (high - low)  # a point's worth at least: no chasm out of a hair
    axes.set_ylim(low - margin, high + margin)


def _short(value: float, _position: int) -> str:
    """Return "0.05", "20" or "5 M" for the numbers at log ticks."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def _label(axes: Axes, spots: Sequence[Spot], every: Mapping[str, Mark]) -> None:
    """Write the names beside the points, with a thin line where a name had to move away."""
    texts = [_write(axes, name, (x, y)) for name, x, y in spots]
    sizes = [(box.width, box.height) for box in map(Text.get_window_extent, texts)]
    points = [tuple(axes.transData.transform((x, y))) for _, x, y in spots]
    corners = place(points, sizes, axes.bbox.extents)
    for text, point, corner, size in zip(texts, points, corners, sizes, strict=True):
        text.set_position(_from(point, corner))
        end = _from(point, nearest(point, corner, size))
        if math.hypot(*end) > 1.5 * GAP:
            _write(axes, "", text.xy, end, arrowprops=_line(every[text.get_text()]))


def _write(axes: Axes, text: str, spot: Point, at: Point = (0, 0), **style: Any) -> Annotation:  # noqa: ANN401
    return axes.annotate(text, spot, at, textcoords="offset points", va="bottom", **style)


def _from(point: Point, other: Point) -> Point:
    return other[0] - point[0], other[1] - point[1]


def _line(mark: Mark) -> dict[str, Any]:
    return {"arrowstyle": "-", "color": mark.colour, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 6}
