"""Matrix of the probabilities that one architecture is better than another."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from foldwise.files.comparison import Comparison, Pair
from foldwise.report.figures.labels import shorten
from foldwise.report.figures.style import FADED, canvas, failed, note, shade, shades, words, write

LARGEST_CELL, SMALLEST_CELL = 0.75, 0.42  # inches
BEST_WIDTH = 4.6  # inches for all cells


def draw_pairs(comparison: Comparison) -> Figure:
    """Return the figure: the finished architectures, best first; columns have the row's number.

    A cell holds the probability that the architecture of the row is better than that of the column
    by more than the ROPE. Below it, after "=", is the probability that the two are practically
    equal. Bold probabilities reach the threshold of the design; darker is more probable. Failed
    architectures are named below.
    """
    names = [each.name for each in comparison.finished]
    missing = failed(comparison)
    if len(names) < 2:
        reason = f"only {shorten(names[0])} finished" if names else "no architecture finished"
        return words(f"no pair to compare: {reason}", missing)
    cell = min(LARGEST_CELL, max(SMALLEST_CELL, BEST_WIDTH / len(names)))
    figure = canvas(height=1.1 + cell * len(names))
    axes = figure.subplots()
    better = np.zeros((len(names), len(names)))
    for pair in comparison.pairs:
        first, second = names.index(pair.first), names.index(pair.second)
        better[first, second], better[second, first] = pair.better, pair.worse
        _write_pair(axes, (first, second), pair, comparison.design.sure)
    labels = [f"{shorten(name)}  {number}" for number, name in enumerate(names, 1)]
    shade(axes, shades(better, "C0"))
    axes.set_yticks(range(len(names)), labels)
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(names)), [f"than {number}" for number in range(1, len(names) + 1)])
    for place in range(len(names)):
        write(axes, place, place, "–", color=FADED)
    note(figure, _explanation(comparison), missing)
    return figure


def _write_pair(axes: Axes, place: tuple[int, int], pair: Pair, sure: float) -> None:
    """Write the two cells of a pair."""
    for row, column, better in ((*place, pair.better), (*place[::-1], pair.worse)):
        weight = "bold" if better >= sure else "normal"
        write(axes, row - 0.16, column, percent(better), fontsize=9, weight=weight)
        weight = "bold" if pair.equal >= sure else "normal"
        write(axes, row + 0.2, column, f"= {percent(pair.equal)}", fontsize=7.5, weight=weight)


def percent(share: float) -> str:
    """Return a percentage, for example "98 %"; only exact shares are "0 %" or "100 %"."""
    whole = round(100 * share)
    if whole == 0 and share > 0:
        return "<1 %"
    if whole == 100 and share < 1:
        return ">99 %"
    return f"{whole} %"


def _explanation(comparison: Comparison) -> str:
    design = comparison.design
    return (
        f"Probability that the row is better than the column by more than {design.rope:g} "
        f"{design.decides.label}; =: practically equal; bold: at least {100 * design.sure:g} %."
    )
