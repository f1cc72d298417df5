"""Figure of the score against cost and against parameters, with the Pareto front."""

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation, Text
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from foldwise.files.comparison import Comparison
from foldwise.files.verdict import Contender, Metric, Verdict
from foldwise.report.figures.labels import GAP, Box, Point, nearest, place, shorten
from foldwise.report.figures.style import (
    FADED,
    INK,
    PAPER,
    Mark,
    at_least,
    canvas,
    failed,
    marks,
    note,
    words,
)

COSTS = {"seconds_per_epoch": "seconds per epoch", "macs": "MACs for one image"}
FRONT: dict[str, Any] = {"color": FADED, "linewidth": 1, "linestyle": ":"}
LEADER = {"arrowstyle": "-", "color": FADED, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 6}
UNDER: dict[str, Any] = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 0}  # lines
RING: dict[str, Any] = {"marker": "o", "markersize": 14, "markerfacecolor": "none", "mew": 1.5}


class Spot(NamedTuple):
    """One architecture in one panel."""

    label: str
    x: float  # cost
    y: float  # mean of the metric
    std: float
    tied: bool
    chosen: bool
    mark: Mark


def draw_pareto(comparison: Comparison, verdict: Verdict) -> Figure:
    """Return the figure: the metric against the cost of the rule above, against parameters below.

    The cost is seconds per epoch, or MACs where machines differ. A mark is the mean, with a bar of
    one standard deviation to each side. It is filled if it ties with the best, hollow if not, and
    has a ring and "(chosen)" if chosen. The dotted line is the Pareto front of the two axes of the
    panel: no architecture is both better and cheaper. Failed architectures are named below.
    """
    missing = failed(comparison)
    if not verdict.contenders:
        return words("no architecture finished", missing)
    metric, all_marks = comparison.design.decides, marks(comparison.design.models)
    figure = canvas(height=7.6)
    upper, lower = figure.subplots(2, 1)
    costs = [_spot(each, each.cost, verdict, all_marks[each.name]) for each in verdict.contenders]
    sizes = [
        _spot(each, each.parameters, verdict, all_marks[each.name]) for each in verdict.contenders
    ]
    _draw_panel(upper, costs, metric, COSTS[verdict.rule.cost])
    _draw_panel(lower, sizes, metric, "parameters")
    _name_styles(figure)
    note(figure, missing)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # labels are placed on this layout
    for axes, spots in ((upper, costs), (lower, sizes)):
        _label(axes, spots, metric)
    return figure


def _spot(contender: Contender, cost: float, verdict: Verdict, mark: Mark) -> Spot:
    chosen = contender.name == verdict.chosen
    label = shorten(contender.name) + " (chosen)" * chosen
    return Spot(label, cost, contender.mean, contender.std, contender.tied, chosen, mark)


def _draw_panel(axes: Axes, spots: Sequence[Spot], metric: Metric, label: str) -> None:
    axes.set_xlabel(label)
    axes.set_ylabel(f"{metric.label}, {metric.best} is best")
    front = pareto_front([(spot.x, spot.y) for spot in spots], metric)
    axes.plot(*zip(*front, strict=True), drawstyle="steps-post", **FRONT)
    for spot in spots:
        colour, face = spot.mark.colour, spot.mark.colour if spot.tied else PAPER
        axes.errorbar(
            spot.x,
            spot.y,
            yerr=spot.std,
            fmt=spot.mark.marker,
            color=colour,
            markerfacecolor=face,
            markersize=8,
            elinewidth=0.8,
            capsize=3,
        )
        if spot.chosen:
            axes.plot(spot.x, spot.y, color=INK, **RING)
    _scale(axes, [spot.x for spot in spots])
    at_least(axes, "y", 0.02)
    axes.margins(y=0.12)


def _scale(axes: Axes, costs: Sequence[float]) -> None:
    """Make the axis of costs logarithmic, with room for names and at least one tick."""
    low, high = min(costs), max(costs)
    if low == 0:  # nothing trains, or no time was measured
        axes.set_xlim(-0.3 * (high or 1), 1.3 * (high or 1))
        return
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(_short))
    axes.xaxis.set_minor_formatter(NullFormatter())
    room = max(2, (high / low) ** 0.3)
    axes.set_xlim(low / room, high * room)
    wide = high / low > 300  # more ticks than powers of ten would overlap
    axes.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))


def _short(value: float, _position: int) -> str:
    """Return "0.05", "20" or "5 M" for the numbers at log ticks."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def pareto_front(points: Sequence[Point], metric: Metric) -> list[Point]:
    """Return the points of the Pareto front, cheapest first.

    Args:
        points: Cost and value of the metric of each.
        metric: Says whether higher values are better.
    """
    sign = 1 if metric.higher_is_better else -1
    front: list[Point] = []
    for cost, value in sorted(points, key=lambda point: (point[0], -sign * point[1])):
        if not front or sign * value > sign * front[-1][1]:
            front.append((cost, value))
    return front


def _name_styles(figure: Figure) -> None:
    tied: dict[str, Any] = {"color": INK, "linestyle": "", "marker": "o", "markersize": 8}
    handles = [
        Line2D([], [], **tied),
        Line2D([], [], **tied | {"markerfacecolor": PAPER}),
        Line2D([], [], color=INK, linestyle="", **RING | {"markersize": 12}),
        Line2D([], [], **FRONT),
    ]
    names = ["tied with the best", "not tied", "chosen", "Pareto front (bars: ± std)"]
    figure.legend(handles, names, loc="outside upper center", ncols=len(names))


def _label(axes: Axes, spots: Sequence[Spot], metric: Metric) -> None:
    """Write the names beside the points, with a leader line to a name further away."""
    texts = [_write(axes, spot.label, (spot.x, spot.y), bbox=UNDER) for spot in spots]
    sizes = [(box.width, box.height) for box in map(Text.get_window_extent, texts)]
    points = [_pixels(axes, spot.x, spot.y) for spot in spots]
    corners = place(points, sizes, axes.bbox.extents, _lines(axes, spots, metric))
    for text, point, corner, size in zip(texts, points, corners, sizes, strict=True):
        text.set_position(_from(point, corner))
        end = _from(point, nearest(point, corner, size))
        if math.hypot(*end) > 1.5 * GAP:
            _write(axes, "", text.xy, end, arrowprops=LEADER)


def _lines(axes: Axes, spots: Sequence[Spot], metric: Metric) -> list[Box]:
    """Return the error bars and the steps of the front, in pixels."""
    ends = [((spot.x, spot.y - spot.std), (spot.x, spot.y + spot.std)) for spot in spots]
    front = pareto_front([(spot.x, spot.y) for spot in spots], metric)
    for (x, y), (next_x, next_y) in itertools.pairwise(front):
        ends += [((x, y), (next_x, y)), ((next_x, y), (next_x, next_y))]
    corners = [(*_pixels(axes, *start), *_pixels(axes, *end)) for start, end in ends]
    return [(min(x, x2), min(y, y2), max(x, x2), max(y, y2)) for x, y, x2, y2 in corners]


def _pixels(axes: Axes, x: float, y: float) -> Point:
    right, up = axes.transData.transform((x, y))
    return right, up


def _write(axes: Axes, text: str, spot: Point, at: Point = (0, 0), **style: Any) -> Annotation:  # noqa: ANN401
    return axes.annotate(text, spot, at, textcoords="offset points", va="bottom", **style)


def _from(point: Point, other: Point) -> Point:
    return other[0] - point[0], other[1] - point[1]
