"""Figure of the learning curves: accuracy and loss over the epochs, one row per architecture."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from foldwise.files.comparison import Architecture, Comparison, Design
from foldwise.report.figures.style import INK, PAPER, canvas, marks, note, shorten

METRICS = ("accuracy", "loss")
CROSS_HEIGHT = 0.08  # of the axes
ABOVE_HEIGHT = 0.95  # of the axes
MAX_LINES = 8  # with more folds, only mean and band are drawn
FENCE = 1.5  # outliers are this many interquartile ranges above the quartile (Tukey 1977)
SQUEEZED = 3  # outliers may not squeeze the other losses into less than a third of the axis
MIN_RANGE, MIN_MARGIN = 0.1, 0.01  # nats
NOTE = (
    "Accuracy: the same axis in all rows. Loss: a separate axis in each row; a triangle is a fold "
    "above it."
)
STYLES: dict[str, dict[str, Any]] = {
    "train": {"linestyle": "--", "markerfacecolor": PAPER},
    "validation": {"linestyle": "-"},
}


def draw_curves(comparison: Comparison, curves: pd.DataFrame) -> Figure:
    """Return the figure: accuracy left, with a shared axis; loss right, with an axis per row.

    Thick lines are means over folds, dashed for training and solid for validation images. The band
    is one standard deviation, and thin lines are single folds. The title of a row is the diagnosis
    with the gap (train − validation accuracy) after the last epoch. Failed architectures have thin
    lines only, with a cross at the epoch in which a fold diverged. Outlying losses that would
    flatten the other curves of the row are outside its axis, with a triangle at the top.

    Args:
        comparison: Best architecture first.
        curves: The table of CURVES.
    """
    rows, design = comparison.architectures, comparison.design
    dot = "o" if design.epochs == 1 else ""  # a curve of one epoch is visible as a dot
    all_marks, n_folds = marks(design.models), len(design.repeats) * len(design.folds)
    figure = canvas(height=0.9 + 1.5 * len(rows))
    panels = figure.subplots(len(rows), 2, sharex=True, squeeze=False)
    for architecture, row in zip(rows, panels, strict=True):
        points = curves[curves["model"] == architecture.name]
        row[0].set_title(_title(architecture), loc="left")
        if row is not panels[0]:
            row[0].sharey(panels[0, 0])
        for axes, metric in zip(row, METRICS, strict=True):
            axes.set_ylabel(metric)
            axes.yaxis.set_major_locator(MaxNLocator(4))
            colour = all_marks[architecture.name].colour
            if architecture.scores is None or n_folds <= MAX_LINES:
                _draw_folds(axes, points, metric, colour, dot)
            if architecture.diagnosis.fit == "diverged":
                _cross(axes, points, design)
            elif architecture.scores:
                _draw_mean(axes, points, metric, colour, dot)
        _limit_losses(row[1], points)
    for axes in panels[-1]:
        axes.set(xlabel="epoch", xlim=(0.8, design.epochs + 0.2))
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    handles = [Line2D([], [], color=INK, marker=dot, **style) for style in STYLES.values()]
    figure.legend(handles, [*STYLES], loc="outside upper right", ncols=len(STYLES))
    note(figure, NOTE)
    return figure


def _title(architecture: Architecture) -> str:
    name, diagnosis = shorten(architecture.name), architecture.diagnosis
    if architecture.scores is None or diagnosis.gap is None:
        return f"{name}: {diagnosis.fit}"
    return f"{name}: {diagnosis.fit}, gap {diagnosis.gap:+.4f}"


def _draw_folds(axes: Axes, points: pd.DataFrame, metric: str, colour: str, dot: str) -> None:
    folds = [fold for _, fold in points.groupby(["repeat", "fold"])]
    thin: dict[str, Any] = {"color": colour, "alpha": 0.6, "linewidth": 0.8, "markersize": 3}
    for part, style in STYLES.items():
        x, y = _joined(folds, "epoch"), _joined(folds, f"{part}_{metric}")
        axes.plot(x, y, marker=dot, **thin | style)


def _cross(axes: Axes, points: pd.DataFrame, design: Design) -> None:
    """Mark the epochs in which folds diverged; a fold without rows diverged in the first."""
    last = points.groupby(["repeat", "fold"])["epoch"].max().tolist()
    last += [0] * (len(design.repeats) * len(design.folds) - len(last))
    spots = [epoch + 1 for epoch in last if epoch < design.epochs]
    # At a fixed height, because the curve of the fold may be far outside the axes.
    heights = [CROSS_HEIGHT] * len(spots)
    axes.plot(spots, heights, "x", color=INK, transform=axes.get_xaxis_transform())


def _joined(folds: list[pd.DataFrame], column: str) -> list[float]:
    """Return the folds one after the other with NaN between: one path is smaller than many."""
    return [value for fold in folds for value in (*fold[column], float("nan"))]


def _draw_mean(axes: Axes, points: pd.DataFrame, metric: str, colour: str, dot: str) -> None:
    for part, style in STYLES.items():
        folds = points.groupby("epoch")[f"{part}_{metric}"]
        mean, std = folds.mean(), folds.std()
        band: dict[str, Any] = {"color": colour, "alpha": 0.15, "linewidth": 0}
        axes.fill_between(mean.index, mean - std, mean + std, **band)
        thick: dict[str, Any] = {"color": colour, "linewidth": 2, "marker": dot}
        axes.plot(mean.index, mean, **thick | style)


def _limit_losses(axes: Axes, points: pd.DataFrame) -> None:
    """Fit the axis to the losses except outliers, and mark the epochs of outliers."""
    losses = points[[f"{part}_loss" for part in STYLES]].to_numpy()  # (n, 2)
    if not losses.size:
        return
    bottom, low, high = np.quantile(losses, (0, 0.25, 0.75)).tolist()
    usual_range = max(high + FENCE * (high - low) - bottom, MIN_RANGE)
    is_above = losses > bottom + SQUEEZED * usual_range
    top = losses[~is_above].max()
    margin = 0.05 * (top - bottom) + MIN_MARGIN
    axes.set_ylim(bottom - margin, top + margin)
    for epoch in points["epoch"][is_above.any(axis=1)].unique():
        transform = axes.get_xaxis_transform()
        axes.plot(epoch, ABOVE_HEIGHT, "^", color=INK, markersize=5, transform=transform)
