"""Figure of the score of every fold with mean and standard deviation, one row per architecture."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from foldwise.files.comparison import Architecture, Comparison
from foldwise.report.figures.labels import shorten
from foldwise.report.figures.style import FADED, INK, Mark, at_least, canvas, marks


def draw_scores(comparison: Comparison, scores: pd.DataFrame) -> Figure:
    """Return the figure: best on top, failed architectures at the bottom.

    Small marks are folds. The large mark above them is their mean, with a bar of one standard
    deviation to each side. Both numbers are to the right of the row.

    Args:
        comparison: Best architecture first.
        scores: The table of SCORES; `score` is shown.
    """
    rows, metric = comparison.architectures, comparison.design.decides
    figure = canvas(height=0.8 + 0.48 * len(rows))
    axes = figure.subplots()
    all_marks = marks(comparison.design.models)
    for row, architecture in enumerate(rows):
        folds = scores.loc[scores["model"] == architecture.name, "score"]
        _draw_row(axes, row, architecture, folds, all_marks[architecture.name])
    axes.set_yticks(range(len(rows)), [shorten(each.name) for each in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)  # first on top
    values = f"validation {metric.label} of folds, their mean ± standard deviation"
    axes.set_xlabel(f"{values}; {metric.best} is best")
    axes.grid(visible=False, axis="y")
    if all(each.scores is None for each in rows):
        axes.set_xticks([])
    at_least(axes, "x", 0.02)
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
