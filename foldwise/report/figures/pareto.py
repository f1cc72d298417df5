"""Figure of the score against cost and against parameters, with the Pareto front."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation, Text
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from foldwise.files.comparison import Comparison
from foldwise.files.verdict import Metric, Verdict
from foldwise.report import formats
from foldwise.report.figures import style
from foldwise.report.figures.labels import GAP, Box, Point, nearest, place, shorten
from foldwise.report.figures.style import FADED, INK, PAPER

Points = Sequence[Point]  # cost and mean of the metric of each contender

COSTS = {"seconds_per_epoch": "seconds per epoch", "macs": "MACs for one image"}
FRONT: dict[str, Any] = {"color": FADED, "linewidth": 1, "linestyle": ":"}
LEADER = {"arrowstyle": "-", "color": FADED, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 6}
UNDER: dict[str, Any] = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 0}  # lines
RING: dict[str, Any] = {"marker": "o", "markersize": 14, "markerfacecolor": "none", "mew": 1.5}
BAR: dict[str, Any] = {"markersize": 8, "elinewidth": 0.8, "capsize": 3}


def draw_pareto(comparison: Comparison, verdict: Verdict) -> Figure:
    """Return the figure: the metric against the cost of the rule above, against parameters below.

    The cost is seconds per epoch, or MACs where machines differ. A mark is the mean, with a bar of
    one standard deviation to each side. It is filled if it ties with the best, hollow if not, and
    has a ring and "(chosen)" if chosen. The dotted line is the Pareto front of the two axes of the
    panel: no architecture is both better and cheaper. Failed architectures are named below.
    """
    missing, contenders = style.failed(comparison), verdict.contenders
    if not contenders:
        return style.words("no architecture finished", missing)
    figure = style.canvas(height=7.6)
    upper, lower = figure.subplots(2, 1)
    upper.set_xlabel(COSTS[verdict.rule.cost])
    lower.set_xlabel("parameters")
    panels: list[tuple[Axes, Points]] = [
        (upper, [(each.cost, each.mean) for each in contenders]),
        (lower, [(each.parameters, each.mean) for each in contenders]),
    ]
    for axes, points in panels:
        _draw_panel(axes, points, comparison, verdict)
    _name_styles(figure)
    style.note(figure, missing)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # labels are placed on this layout
    for axes, points in panels:
        _label(axes, points, comparison, verdict)
    return figure


def _draw_panel(axes: Axes, points: Points, comparison: Comparison, verdict: Verdict) -> None:
    metric, all_marks = comparison.design.decides, style.marks(comparison.design.models)
    axes.set_ylabel(f"{metric.label}, {metric.best} is best")
    front = pareto_front(points, metric)
    axes.plot(*zip(*front, strict=True), drawstyle="steps-post", **FRONT)
    for point, contender in zip(points, verdict.contenders, strict=True):
        colour, marker = all_marks[contender.name]
        face = colour if contender.tied else PAPER
        mark: dict[str, Any] = {"fmt": marker, "color": colour, "markerfacecolor": face}
        axes.errorbar(*point, contender.std, **mark | BAR)
        if contender.name == verdict.chosen:
            axes.plot(*point, color=INK, **RING)
    _scale(axes, [cost for cost, _ in points])
    style.at_least(axes, "y", 0.02)
    axes.margins(y=0.12)


def _scale(axes: Axes, costs: Sequence[float]) -> None:
    """Make the axis of costs logarithmic, with room for names and at least one tick."""
    low, high = min(costs), max(costs)
    if low == 0:  # nothing trains, or no time was measured
        axes.set_xlim(-0.3 * (high or 1), 1.3 * (high or 1))
        return
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: formats.short(cost)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    room = max(2, (high / low) ** 0.3)
    axes.set_xlim(low / room, high * room)
    wide = high / low > 300  # more ticks than powers of ten would overlap
    axes.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))


def pareto_front(points: Points, metric: Metric) -> list[Point]:
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


def _label(axes: Axes, points: Points, comparison: Comparison, verdict: Verdict) -> None:
    """Write the names beside the points, with a leader line to a name further away."""
    texts = []
    for point, contender in zip(points, verdict.contenders, strict=True):
        chosen = " (chosen)" if contender.name == verdict.chosen else ""
        texts.append(_write(axes, shorten(contender.name) + chosen, point, bbox=UNDER))
    sizes = [(box.width, box.height) for box in map(Text.get_window_extent, texts)]
    spots = [_pixels(axes, point) for point in points]
    stds = [each.std for each in verdict.contenders]
    lines = _lines(axes, points, stds, comparison.design.decides)
    corners = place(spots, sizes, axes.bbox.extents, lines)
    for text, spot, corner, size in zip(texts, spots, corners, sizes, strict=True):
        text.set_position(_from(spot, corner))
        end = _from(spot, nearest(spot, corner, size))
        if math.hypot(*end) > 1.5 * GAP:
            _write(axes, "", text.xy, end, arrowprops=LEADER)


def _lines(axes: Axes, points: Points, stds: Sequence[float], metric: Metric) -> list[Box]:
    """Return the error bars and the steps of the front, in pixels."""
    ends = [((x, y - std), (x, y + std)) for (x, y), std in zip(points, stds, strict=True)]
    for (x, y), (next_x, next_y) in itertools.pairwise(pareto_front(points, metric)):
        ends += [((x, y), (next_x, y)), ((next_x, y), (next_x, next_y))]
    corners = [(*_pixels(axes, start), *_pixels(axes, end)) for start, end in ends]
    return [(min(x, x2), min(y, y2), max(x, x2), max(y, y2)) for x, y, x2, y2 in corners]


def _pixels(axes: Axes, point: Point) -> Point:
    right, up = axes.transData.transform(point)
    return right, up


def _write(axes: Axes, text: str, spot: Point, at: Point = (0, 0), **kwargs: Any) -> Annotation:  # noqa: ANN401
    return axes.annotate(text, spot, at, textcoords="offset points", va="bottom", **kwargs)


def _from(point: Point, other: Point) -> Point:
    return other[0] - point[0], other[1] - point[1]
