"""Figures of the scores: of every fold, and against cost and parameters."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator

from foldwise.files.comparison import Architecture, Comparison
from foldwise.files.verdict import CostUnit, Metric, Verdict
from foldwise.report import formats
from foldwise.report.figures import style
from foldwise.report.figures.style import FADED, INK, PAPER, Mark, shorten
from foldwise.report.inputs import MOST_SHOWN

Point = tuple[float, float]  # cost, and mean of the metric

COSTS: dict[CostUnit, str] = {
    "macs": "MACs of one image",
    "latency": "latency of one image on one thread, in seconds",
    "training_seconds": "seconds of training per fold, feature extraction included",
}
FRONT: dict[str, Any] = {"color": FADED, "linewidth": 1, "linestyle": ":"}
LEADER = {"arrowstyle": "-", "color": FADED, "linewidth": 0.6, "shrinkB": 6, "relpos": (0, 0.5)}
OTHER: dict[str, Any] = {"marker": "o", "markersize": 4, "alpha": 0.6, "zorder": 0}
RING: dict[str, Any] = {"marker": "o", "markersize": 14, "markerfacecolor": "none", "mew": 1.5}
BAR: dict[str, Any] = {"markersize": 8, "elinewidth": 0.8, "capsize": 3}
NAME_HEIGHT = 0.17  # inches
PANEL_SHARE = 0.38  # of the height of the figure; a panel is at least as high


def draw_scores(comparison: Comparison, scores: pd.DataFrame) -> Figure:
    """Return the figure of every fold: best on top, those that diverged at the bottom.

    Small marks are folds. The large mark above them is their mean, with a bar of one standard
    deviation to each side. Both numbers are to the right of the row. What a race stopped has no
    row, and is named below.

    Args:
        comparison: Best architecture first.
        scores: The table of SCORES; `score` is shown.
    """
    rows = [each for each in comparison.architectures if each.diagnosis.fit != "stopped"]
    metric = comparison.design.decides
    figure = style.canvas(height=0.8 + 0.48 * len(rows))
    axes = figure.subplots()
    all_marks = style.marks(comparison.design.models)
    for row, architecture in enumerate(rows):
        folds = scores.loc[scores["model"] == architecture.name, "score"]
        _draw_row(axes, row, architecture, folds, all_marks[architecture.name])
    axes.set_yticks(range(len(rows)), [shorten(each.name) for each in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)  # first on top
    values = f"validation {metric.label} of folds, their mean ± standard deviation"
    axes.set_xlabel(f"{values}; {metric.best} is best")
    axes.grid(visible=False, axis="y")
    if not comparison.finished:
        axes.set_xticks([])
    style.at_least(axes, "x", 0.02)
    if comparison.kept_out or comparison.stopped:
        style.note(figure, style.failed(comparison))
    return figure


def _draw_row(
    axes: Axes, row: int, architecture: Architecture, folds: pd.Series, mark: Mark
) -> None:
    scores = architecture.scores
    label = f"{folds.isna().sum()} of {len(folds)} diverged"
    if scores is not None:
        label = f"{scores.mean:.4f}, std {scores.std:.4f}"
        heights = [row + 0.2] * len(folds)  # below the mean, so that both are visible
        axes.plot(folds, heights, mark.marker, color=mark.colour, alpha=0.6, markersize=5, mew=0)
        bar: dict[str, Any] = {"color": mark.colour, "markersize": 8, "capsize": 4}
        axes.errorbar(scores.mean, row - 0.08, xerr=scores.std, fmt=mark.marker, **bar)
    place: dict[str, Any] = {"xy": (1.01, row), "xycoords": ("axes fraction", "data")}
    colour = FADED if scores is None else INK
    axes.annotate(label, **place, color=colour, va="center", annotation_clip=False)


def draw_pareto(comparison: Comparison, verdict: Verdict) -> Figure:
    """Return the figure: the metric against cost above, against parameters below.

    The cost is that of `compare.cost`. A mark is the mean, with a bar of one standard deviation to
    each side. It is filled if the expected shortfall is within `compare.worth`, hollow if not, and
    has a ring and "(chosen)" if chosen. The dotted line is the Pareto front of the two axes of the
    panel: no architecture is both better and cheaper. Failed architectures are named below. Of more
    than MOST_SHOWN, only the best, the chosen one and the front have names and colours.

    Args:
        comparison: With at least one finished architecture.
        verdict: The choice.
    """
    contenders, metric = verdict.contenders, comparison.design.decides
    panels: dict[str, list[Point]] = {
        COSTS[verdict.cost_unit]: [(each.cost, each.mean) for each in contenders],
        "parameters": [(each.parameters, each.mean) for each in contenders],
    }
    names = [_names(points, verdict, metric) for points in panels.values()]
    height = max(7.6, NAME_HEIGHT * max(map(len, names)) / PANEL_SHARE)
    figure = style.canvas(height)
    rows = zip(figure.subplots(2, 1), panels.items(), names, strict=True)
    for axes, (label, points), named in rows:
        axes.set_xlabel(label)
        _draw_panel(axes, points, named, comparison, verdict)
        _name_points(axes, named, verdict, NAME_HEIGHT / (PANEL_SHARE * height))
    _name_styles(figure)
    style.note(figure, style.failed(comparison))
    return figure


def _names(points: Sequence[Point], verdict: Verdict, metric: Metric) -> dict[str, Point]:
    """Return the points that have a name: the best, the chosen one and those on the front."""
    front = pareto_front(points, metric)
    return {
        each.name: point
        for at, (point, each) in enumerate(zip(points, verdict.contenders, strict=True))
        if at < MOST_SHOWN or each.name == verdict.chosen or point in front
    }


def _draw_panel(
    axes: Axes,
    points: Sequence[Point],
    named: Collection[str],
    comparison: Comparison,
    verdict: Verdict,
) -> None:
    metric, all_marks = comparison.design.decides, style.marks(comparison.design.models)
    axes.set_ylabel(f"{metric.label}, {metric.best} is best")
    axes.plot(*zip(*pareto_front(points, metric), strict=True), drawstyle="steps-post", **FRONT)
    for point, contender in zip(points, verdict.contenders, strict=True):
        colour, marker = all_marks[contender.name]
        if contender.name not in named:
            axes.plot(*point, color=FADED, **OTHER)
            continue
        face = colour if contender.within_worth else PAPER
        mark: dict[str, Any] = {"fmt": marker, "color": colour, "markerfacecolor": face}
        axes.errorbar(*point, contender.std, **mark | BAR)
        if contender.name == verdict.chosen:
            axes.plot(*point, color=INK, **RING)
    _scale(axes, [cost for cost, _ in points])
    style.at_least(axes, "y", 0.02)


def _scale(axes: Axes, costs: Sequence[float]) -> None:
    """Make the axis of costs logarithmic if possible, with at least one tick."""
    low, high = min(costs), max(costs)
    if low > 0:  # else nothing trains, or no time was measured
        axes.set_xscale("log")
        axes.set_xlim(low / 2, high * 2)
        wide = high / low > 100  # more ticks than powers of ten would overlap
        axes.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
        axes.minorticks_off()
    axes.xaxis.set_major_formatter(lambda cost, _: formats.short(cost))


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


def _name_points(axes: Axes, points: Mapping[str, Point], verdict: Verdict, step: float) -> None:
    """Write the names in a column to the right of a panel, each with a line to its point.

    Args:
        axes: With its limits.
        points: By name.
        verdict: The choice.
        step: Between two names, as a share of the height of the panel.
    """
    ascending = sorted(points.items(), key=lambda each: each[1][1])
    low, high = axes.get_ylim()
    heights = style.apart([y for _, (_, y) in ascending], step * (high - low), high)
    for (model, point), height in zip(ascending, heights, strict=True):
        name = shorten(model) + " (chosen)" * (model == verdict.chosen)
        place: dict[str, Any] = {"xytext": (1.04, height), "textcoords": ("axes fraction", "data")}
        axes.annotate(name, point, **place, va="center", arrowprops=LEADER, zorder=1)


def _name_styles(figure: Figure) -> None:
    filled: dict[str, Any] = {"color": INK, "linestyle": "", "marker": "o", "markersize": 8}
    handles = [
        Line2D([], [], **filled),
        Line2D([], [], **filled | {"markerfacecolor": PAPER}),
        Line2D([], [], color=INK, linestyle="", **RING | {"markersize": 12}),
        Line2D([], [], **FRONT),
    ]
    names = ["within compare.worth", "gives up more", "chosen", "Pareto front (bars: ± std)"]
    figure.legend(handles, names, loc="outside upper center", ncols=len(names))
