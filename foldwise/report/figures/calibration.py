"""Figures of the final model: reliability, and accuracy without its least certain images."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import PercentFormatter
from scipy.stats import binomtest

from foldwise.files.final import OutOfFold, RiskPoint
from foldwise.report.figures import style

LEVEL = 0.95  # of the intervals
QUARTERS = (0, 0.25, 0.5, 0.75, 1)
DIAGONAL: dict[str, Any] = {"color": style.FADED, "linewidth": 1, "linestyle": ":"}
BAR: dict[str, Any] = {"color": "C0", "markersize": 6, "elinewidth": 1, "capsize": 3}
NOTE = (
    f"A mark is the images of a bin of confidence, with its {100 * LEVEL:.0f} % interval (Clopper "
    "and Pearson). On the dotted line, probabilities are right; below it, they are too high."
)


def draw_reliability(qualities: Mapping[str, OutOfFold]) -> Figure:
    """Return the figure: accuracy against confidence above, numbers of images below.

    The numbers have a logarithmic axis, because most images are in the last bin.

    Args:
        qualities: One or two by title, such as before and after calibration, from left to right.
    """
    figure = style.canvas(height=4.6)
    cast(ConstrainedLayoutEngine, figure.get_layout_engine()).set(wspace=0.05)
    n, heights = len(qualities), (3, 1)
    panels = figure.subplots(2, n, sharex=True, sharey="row", squeeze=False, height_ratios=heights)
    for column, (name, quality) in enumerate(qualities.items()):
        upper, lower = panels[:, column]
        upper.set_title(f"{name}: calibration error {quality.calibration_error:.4f}", loc="left")
        _draw_accuracy(upper, quality)
        n_bins = len(quality.bins.images)
        places = (np.arange(n_bins) + 0.5) / n_bins
        lower.bar(places, quality.bins.images, width=0.9 / n_bins, color="C0")
        lower.set_xlabel("confidence: probability of the predicted class")
    upper.set(xlim=(0, 1.02), ylim=(-0.02, 1.02), xticks=QUARTERS, yticks=QUARTERS)
    lower.set(yscale="log", ylim=(0.7, None))
    lower.yaxis.set_major_formatter("{x:,.0f}")
    _in_percent(lower.xaxis, upper.yaxis)
    panels[0, 0].set_ylabel("accuracy")
    panels[1, 0].set_ylabel("images")
    style.note(figure, NOTE)
    return figure


def _draw_accuracy(axes: Axes, quality: OutOfFold) -> None:
    bins = quality.bins
    axes.plot((0, 1), (0, 1), **DIAGONAL)
    for n, correct, confidence in zip(bins.images, bins.correct, bins.confidence, strict=True):
        if n:
            share = correct / n
            exact = binomtest(correct, n).proportion_ci(LEVEL, "exact")
            reach = [[share - exact.low], [exact.high - share]]
            axes.errorbar(confidence / n, share, yerr=reach, fmt="o", **BAR)


def draw_risk(risk: Sequence[RiskPoint]) -> Figure:
    """Return the figure: accuracy on the rest if the least certain images are left to a person."""
    figure = style.canvas(height=2.8)
    axes = figure.subplots()
    left = [1 - point.share for point in risk]
    axes.plot(
        left, [point.accuracy for point in risk], "-o", color="C0", markersize=5, clip_on=False
    )
    axes.set_xlabel("least certain images that are left to a person")
    axes.set_ylabel("accuracy on the others")
    style.at_least(axes, "y", 0.02)
    axes.set(xlim=(-0.02, 1), ylim=(None, min(1, axes.get_ylim()[1])))
    _in_percent(axes.xaxis, axes.yaxis)
    return figure


def _in_percent(*each: Axis) -> None:
    for axis in each:
        axis.set_major_formatter(PercentFormatter(1, symbol=" %"))
