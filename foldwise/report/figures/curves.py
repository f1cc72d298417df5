"""Accuracy and loss over the epochs, one row an architecture."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from foldwise.files.comparison import Architecture, Comparison, Design
from foldwise.report.figures.labels import shorten
from foldwise.report.figures.style import FADED, INK, PAPER, canvas, marks, note

METRICS = ("accuracy", "loss")
CROSS_HEIGHT = 0.08  # of the axes
ABOVE_HEIGHT = 0.95  # of the axes
MOST_LINES = 8  # folds of an architecture that are drawn one by one; more vanish in the band
FENCE = 1.5  # quartile distances above the upper quartile: what is usual (Tukey 1977)
SQUEEZED = 3  # nothing may squeeze the usual losses into less than a third of the axis
LEAST_USUAL, LEAST_MARGIN = 0.1, 0.01  # nats
STYLES: dict[str, dict[str, Any]] = {
    "train": {"linestyle": "--", "markerfacecolor": PAPER},
    "validation": {"linestyle": "-"},
}


def draw_curves(comparison: Comparison, curves: pd.DataFrame) -> Figure:
    """Return the figure: accuracy left, on one axis for all; loss right, on an axis of each row.

    Thick lines are means over folds, dashed on train and solid on validation images, the band one
    standard deviation around them, thin lines single folds. The title of a row is the diagnosis
    with the gap (train − validation accuracy) after the last epoch. What failed has thin lines
    only, with a cross at the epoch in which a fold diverged. Losses so far above the others of the
    row that they would flatten them leave its axis, with a triangle at its top.

    Args:
        comparison: What compare found; best first.
        curves: The table of CURVES.
    """
    rows, design = comparison.architectures, comparison.design
    every, n_folds = marks(design.models), len(design.repeats) * len(design.folds)
    figure = canvas(height=0.9 + 1.5 * len(rows))
    panels = figure.subplots(len(rows), 2, sharex=True, squeeze=False)
    above = []
    for architecture, row in zip(rows, panels, strict=True):
        own = curves[curves["model"] == architecture.name]
        row[0].set_title(_title(architecture), loc="left")
        if row is not panels[0]:
            row[0].sharey(panels[0, 0])
        for axes, metric in zip(row, METRICS, strict=True):
            axes.set_ylabel(metric)
            axes.yaxis.set_major_locator(MaxNLocator(4))
            colour = every[architecture.name].colour
            if architecture.scores is None or n_folds <= MOST_LINES:
                _draw_folds(axes, own, metric, colour, design.epochs)
            if architecture.scores is None:
                _cross(axes, own, design)
            else:
                _draw_mean(axes, own, metric, colour, design.epochs)
        above.append(_fit(row[1], own))
    _name_epochs(panels, design.epochs)
    _name_styles(figure, design.epochs, above=any(above))
    note(figure, "Accuracy: one axis for all. Loss: each row has its own.")
    return figure


def _title(architecture: Architecture) -> str:
    name, diagnosis = shorten(architecture.name), architecture.diagnosis
    if architecture.scores is None or diagnosis.gap is None:
        return f"{name}: failed, {diagnosis.fit}"
    return f"{name}: {diagnosis.fit}, gap {diagnosis.gap:+.4f}"


def _draw_folds(axes: Axes, own: pd.DataFrame, metric: str, colour: str, epochs: int) -> None:
    folds = [fold for _, fold in own.groupby(["repeat", "fold"])]
    thin: dict[str, Any] = {"color": colour, "alpha": 0.6, "linewidth": 0.8, "markersize": 3}
    for part, style in STYLES.items():
        x, y = _joined(folds, "epoch"), _joined(folds, f"{part}_{metric}")
        axes.plot(x, y, marker=_dot(epochs), **thin | style)


def _cross(axes: Axes, own: pd.DataFrame, design: Design) -> None:
    """Mark the epochs in which folds diverged; without a row in the first."""
    last = own.groupby(["repeat", "fold"])["epoch"].max().tolist()
    last += [0] * (len(design.repeats) * len(design.folds) - len(last))
    spots = [epoch + 1 for epoch in last if epoch < design.epochs]
    # At a fixed height: the fold's own curve may be far outside the axes.
    heights = [CROSS_HEIGHT] * len(spots)
    axes.plot(spots, heights, "x", color=INK, transform=axes.get_xaxis_transform())
    if own.empty:
        axes.text(0.5, 0.5, "no epoch finished", transform=axes.transAxes, ha="center", color=FADED)


def _joined(folds: list[pd.DataFrame], column: str) -> list[float]:
    """Return the folds one after the other, NaN between: one path is smaller than one a fold."""
    return [value for fold in folds for value in (*fold[column], float("nan"))]


def _draw_mean(axes: Axes, own: pd.DataFrame, metric: str, colour: str, epochs: int) -> None:
    for part, style in STYLES.items():
        spread = _spread(own, f"{part}_{metric}")
        thick: dict[str, Any] = {"color": colour, "linewidth": 2, "marker": _dot(epochs)} | style
        axes.fill_between(
            spread.index, spread["low"], spread["high"], color=colour, alpha=0.15, linewidth=0
        )
        axes.plot(spread.index, spread["mean"], **thick)


def _spread(own: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return mean and mean ± one standard deviation over folds, one row an epoch."""
    spread = own.groupby("epoch")[column].agg(["mean", "std"])
    return spread.assign(low=spread["mean"] - spread["std"], high=spread["mean"] + spread["std"])


def _fit(axes: Axes, own: pd.DataFrame) -> bool:
    """Fit the axis to the losses, but for those far above the others; return whether any is."""
    losses = own[[f"{part}_loss" for part in STYLES]].to_numpy()  # (n, 2)
    if not losses.size:
        return False
    bottom, low, high = np.quantile(losses, (0, 0.25, 0.75)).tolist()
    usual = max(high + FENCE * (high - low) - bottom, LEAST_USUAL)
    is_above = losses > bottom + SQUEEZED * usual
    top = losses[~is_above].max()
    margin = 0.05 * (top - bottom) + LEAST_MARGIN
    axes.set_ylim(bottom - margin, top + margin)
    above = sorted(set(own["epoch"][is_above.any(axis=1)]))
    if above:
        spots = above, [ABOVE_HEIGHT] * len(above)
        axes.plot(*spots, "^", color=INK, markersize=5, transform=axes.get_xaxis_transform())
    return bool(above)


def _name_epochs(panels: Any, epochs: int) -> None:  # noqa: ANN401
    for axes in panels[-1]:
        axes.set_xlabel("epoch")
        axes.set_xlim(0.8, epochs + 0.2)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))


def _name_styles(figure: Figure, epochs: int, *, above: bool) -> None:
    handles = [Line2D([], [], color=INK, marker=_dot(epochs), **style) for style in STYLES.values()]
    names = list(STYLES)
    if above:
        handles.append(Line2D([], [], color=INK, marker="^", markersize=5, linestyle=""))
        names.append("a fold is above the axis")
    figure.legend(handles, names, loc="outside upper right", ncols=len(names))


def _dot(epochs: int) -> str:
    """Return the marker: a curve of one epoch is a dot, or it would not be seen."""
    return "o" if epochs == 1 else ""
