"""Accuracy and loss over the epochs, one row an architecture."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from stages.contracts.comparison import Architecture, Comparison
from stages.report.figures.style import FADED, canvas, marks

METRICS = ("accuracy", "loss")
CROSS_HEIGHT = 0.08  # of the axes
STYLES: dict[str, dict[str, Any]] = {
    "train": {"linestyle": "--", "markerfacecolor": "white"},
    "validation": {"linestyle": "-"},
}


def draw(comparison: Comparison, curves: pd.DataFrame) -> Figure:
    """Return the figure: accuracy left, loss right, shared axes; failed ones at the bottom.

    Thin lines are folds, thick ones their mean, the band one standard deviation around it. What
    failed has thin lines only, with a cross at the epoch in which a fold diverged. The axes fit
    the bands, so a single wild fold may leave them.

    Args:
        comparison: What compare found; best first.
        curves: One row an epoch.
    """
    rows, epochs = comparison.architectures, comparison.design.epochs
    every = marks(comparison.design.models)
    figure = canvas(height=0.9 + 1.6 * len(rows))
    panels = figure.subplots(len(rows), 2, sharex=True, sharey="col", squeeze=False)
    for architecture, row in zip(rows, panels, strict=True):
        own = curves[curves["model"] == architecture.name]
        row[0].set_title(_title(architecture), loc="left")
        for axes, metric in zip(row, METRICS, strict=True):
            axes.set_ylabel(metric)
            _draw_folds(axes, own, metric, every[architecture.name].colour, epochs)
            if architecture.scores is not None:
                _draw_mean(axes, own, metric, every[architecture.name].colour, epochs)
    finished = [one.name for one in rows if one.scores is not None]
    _fit(panels[0], curves[curves["model"].isin(finished)])
    _name_epochs(panels[-1], epochs)
    _name_styles(figure, epochs)
    return figure


def _draw_folds(axes: Axes, own: pd.DataFrame, metric: str, colour: str, epochs: int) -> None:
    for part, style in STYLES.items():
        thin: dict[str, Any] = {"color": colour, "alpha": 0.4, "linewidth": 0.6} | style
        for _, fold in own.groupby(["repeat", "fold"]):
            y = fold[f"{part}_{metric}"]
            axes.plot(fold["epoch"], y, marker=_dot(epochs), markersize=3, **thin)
    last = own.groupby(["repeat", "fold"])["epoch"].max()
    diverged = last[last < epochs] + 1
    # At a fixed height: the fold's own curve may be far outside the axes.
    spots = diverged, [CROSS_HEIGHT] * len(diverged)
    axes.plot(*spots, "x", color="black", transform=axes.get_xaxis_transform())
    if own.empty:
        axes.text(0.5, 0.5, "no epoch finished", transform=axes.transAxes, ha="center", color=FADED)


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


def _fit(row: Sequence[Axes], finished: pd.DataFrame) -> None:
    """Set the limits of both columns to the bands of what finished."""
    for axes, metric in zip(row, METRICS, strict=True):
        spreads = [
            _spread(own, f"{part}_{metric}")
            for part in STYLES
            for _, own in finished.groupby("model")
        ]
        if spreads:
            every = pd.concat(spreads)
            low, high = every["low"].min(), every["high"].max()
            margin = 0.05 * (high - low) + 1e-3
            axes.set_ylim(low - margin, high + margin)


def _name_epochs(row: Sequence[Axes], epochs: int) -> None:
    for axes in row:
        axes.set_xlabel("epoch")
        axes.set_xlim(0.8, epochs + 0.2)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def _name_styles(figure: Figure, epochs: int) -> None:
    handles = [
        Line2D([], [], color="black", marker=_dot(epochs), **style) for style in STYLES.values()
    ]
    figure.legend(handles, list(STYLES), loc="outside upper right", ncols=2)


def _dot(epochs: int) -> str:
    """Return the marker: a curve of one epoch is a dot, or it would not be seen."""
    return "o" if epochs == 1 else ""


def _title(architecture: Architecture) -> str:
    failed = architecture.scores is None
    return f"{architecture.name} (failed: diverged)" if failed else architecture.name
