"""Figures that are matrices: confusion of classes, and probabilities of pairs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from foldwise.files.comparison import Comparison, Pair
from foldwise.report.figures.labels import apart, class_names, shorten
from foldwise.report.figures.style import FADED, canvas, failed, note, words

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

UNDER_TEXT = 0.65  # opacity on which text has a contrast of 4.5 or more, light and dark
STEPS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)  # shares above which an error is a shade darker
LONGEST = 22  # characters of a class
CLASS_CELL, CLASS_MATRIX = 0.55, 5.5  # largest sizes, in inches
CHARACTER = 0.085  # inches, about
NUMBERS, TWO_LINES, NAMES = 20, 10, 36  # most classes for numbers, two lines per cell, all names
NAMED = 12  # pairs whose classes are named if there are more than NAMES classes
APART = 11.0  # points between two names
LEAD = 14.0  # points between a name and the cells
PAIR_CELL, SMALLEST_PAIR_CELL, PAIR_MATRIX = 0.75, 0.42, 4.6  # inches


def draw_confusion(confusion: pd.DataFrame, classes: Sequence[str], model: str | None) -> Figure:
    """Return the figure: a row is a true class, a column a predicted class.

    Blue is correct and orange is an error; darker is a larger share of the row. The shades of
    errors have their own steps, because rare errors would be invisible beside the diagonal. Cells
    hold the number and share of images for up to 10 classes, and the number for up to 20. With
    more than 36 classes, only the classes of the twelve most confused pairs are named.

    Args:
        confusion: The table of CONFUSION.
        classes: In the order of the rows; any text.
        model: The chosen architecture; None: none finished.
    """
    if model is None or confusion.empty:
        return words("no architecture finished: no predictions")
    images = _images(confusion, classes)
    shares = images / np.maximum(images.sum(axis=1, keepdims=True), 1)
    n, names = len(classes), class_names(classes, LONGEST)
    below = CHARACTER * max(map(len, names))
    figure = canvas(height=1.2 + below + min(CLASS_MATRIX, CLASS_CELL * n))
    axes = figure.subplots()
    strongest = UNDER_TEXT if n <= NUMBERS else 1
    _draw_cells(axes, _shades(shares, strongest))
    correct, total = np.trace(images), images.sum()
    summary = f"{correct:,} of {total:,} images correct ({100 * correct / total:.2f} %)"
    figure.suptitle(f"{shorten(model)}: {summary}", fontsize=10)
    if n <= NUMBERS:
        _write_cells(axes, images, shares)
    if n <= NAMES:
        _name_all(axes, names)
    else:
        _name_confused(figure, axes, names, images)
    axes.set_ylabel("true class")
    axes.set_xlabel("predicted class")
    _name_shades(figure, strongest)
    return figure


def _images(confusion: pd.DataFrame, classes: Sequence[str]) -> Counts:
    place = {name: index for index, name in enumerate(classes)}
    images = np.zeros((len(classes), len(classes)), dtype=np.int64)
    rows, columns = (confusion[side].map(place) for side in ("true", "predicted"))
    images[rows, columns] = confusion["images"]
    return images


def _shades(shares: Floats, strongest: float) -> Floats:
    correct = np.eye(len(shares), dtype=bool)
    darkness = np.searchsorted(STEPS, shares) / len(STEPS)
    blue, orange = shades(shares, "C0", strongest), shades(darkness, "C1", strongest)
    return np.where(correct[..., None], blue, orange)


def _write_cells(axes: Axes, images: Counts, shares: Floats) -> None:
    with_share = len(images) <= TWO_LINES
    for row, column in zip(*images.nonzero(), strict=True):
        n, share = images[row, column], shares[row, column]
        number = str(n) if n < 100_000 else f"{n / 1000:.0f}k"  # to fit into the cell
        _write(axes, row - 0.14 * with_share, column, number, fontsize=9 if with_share else 7)
        if with_share:
            _write(axes, row + 0.22, column, f"{100 * share:.1f} %", fontsize=7)


def _name_all(axes: Axes, names: Sequence[str]) -> None:
    places, size = range(len(names)), 9 if len(names) <= NUMBERS else 8
    wide = max(map(len, names)) * len(names) > 80  # characters that fit side by side
    axes.set_xticks(places, names, rotation=90 if wide else 0, fontsize=size)
    axes.set_yticks(places, names, fontsize=size)


def _name_confused(figure: Figure, axes: Axes, names: Sequence[str], images: Counts) -> None:
    """Name the classes of the most confused pairs, with leader lines to their rows and columns."""
    errors = images * (1 - np.eye(len(images), dtype=np.int64))
    order = np.argsort(-errors, axis=None, kind="stable")[:NAMED]
    pairs = np.unravel_index(order[errors.flat[order] > 0], images.shape)
    rows, columns = (sorted(set(side.tolist())) for side in pairs)
    row_names, column_names = ([names[label] for label in side] for side in (rows, columns))
    axes.set_yticks(rows, row_names, fontsize=8)
    axes.set_xticks(columns, column_names, fontsize=8, rotation=90)
    axes.tick_params(pad=LEAD + 2)
    figure.draw_without_rendering()  # fixes the size of the axes beside these names
    width, height, n = axes.bbox.width, axes.bbox.height, len(names)
    row_places = apart(rows, APART / height * n, n - 1)
    column_places = apart(columns, APART / width * n, n - 1)
    axes.set_yticks(row_places, row_names)
    axes.set_xticks(column_places, column_names)
    style: dict[str, Any] = {"color": FADED, "linewidth": 0.6, "clip_on": False}
    for ends in zip(rows, row_places, strict=True):
        axes.plot((0, -LEAD / width), ends, transform=axes.get_yaxis_transform(), **style)
    for ends in zip(columns, column_places, strict=True):
        axes.plot(ends, (0, -LEAD / height), transform=axes.get_xaxis_transform(), **style)


def _name_shades(figure: Figure, strongest: float) -> None:
    steps = shades(np.arange(1, len(STEPS) + 1) / len(STEPS), "C1", strongest)
    names = [f"> {100 * share:.0f} %" for share in STEPS]
    handles = [Patch(facecolor=tuple(step)) for step in steps]
    correct = Patch(facecolor=tuple(shades(np.array(1.0), "C0", strongest)))
    layout: dict[str, Any] = {"ncols": len(names) + 1, "columnspacing": 1.2, "handlelength": 1.2}
    labels = ["correct; errors:", *names]
    figure.legend([correct, *handles], labels, loc="outside lower center", **layout)


def draw_pairs(comparison: Comparison) -> Figure:
    """Return the figure: the finished architectures, best first; columns have the row's number.

    A cell holds the probability that the architecture of the row is better than that of the column
    by more than the ROPE. Below it, after "=", is the probability that the two are practically
    equal. Bold probabilities reach the threshold of the design; darker is more probable. Failed
    architectures are named below.
    """
    names = [each.name for each in comparison.finished]
    n, missing, design = len(names), failed(comparison), comparison.design
    if n < 2:
        reason = f"only {shorten(names[0])} finished" if names else "no architecture finished"
        return words(f"no pair to compare: {reason}", missing)
    cell = min(PAIR_CELL, max(SMALLEST_PAIR_CELL, PAIR_MATRIX / n))
    figure = canvas(height=1.1 + cell * n)
    axes = figure.subplots()
    better = np.zeros((n, n))
    for pair in comparison.pairs:
        first, second = names.index(pair.first), names.index(pair.second)
        better[first, second], better[second, first] = pair.better, pair.worse
        _write_pair(axes, (first, second), pair, design.sure)
    _draw_cells(axes, shades(better, "C0"))
    axes.set_yticks(range(n), [f"{shorten(name)}  {row}" for row, name in enumerate(names, 1)])
    axes.xaxis.tick_top()
    axes.set_xticks(range(n), [f"than {column}" for column in range(1, n + 1)])
    for place in range(n):
        _write(axes, place, place, "–", color=FADED)
    explanation = (
        f"Probability that the row is better than the column by more than {design.rope:g} "
        f"{design.decides.label}; =: practically equal; bold: at least {100 * design.sure:g} %."
    )
    note(figure, explanation, missing)
    return figure


def _write_pair(axes: Axes, place: tuple[int, int], pair: Pair, sure: float) -> None:
    """Write the two cells of a pair."""
    for row, column, better in ((*place, pair.better), (*place[::-1], pair.worse)):
        weight = "bold" if better >= sure else "normal"
        _write(axes, row - 0.16, column, percent(better), fontsize=9, weight=weight)
        weight = "bold" if pair.equal >= sure else "normal"
        _write(axes, row + 0.2, column, f"= {percent(pair.equal)}", fontsize=7.5, weight=weight)


def percent(share: float) -> str:
    """Return a percentage, for example "98 %"; only exact shares are "0 %" or "100 %"."""
    whole = round(100 * share)
    if whole in (0, 100) and share != whole / 100:
        return ">99 %" if whole else "<1 %"
    return f"{whole} %"


def shades(shares: Floats, colour: str, strongest: float = UNDER_TEXT) -> Floats:
    """Return a colour that is more transparent for smaller shares.

    Args:
        shares: (...) 0 .. 1.
        colour: Any matplotlib colour.
        strongest: Opacity of a share of 1.

    Returns:
        (..., 4) red, green, blue and opacity, 0 .. 1.
    """
    colours = np.empty((*shares.shape, 4))
    colours[..., :3] = to_rgb(colour)
    colours[..., 3] = strongest * shares
    return colours


def _draw_cells(axes: Axes, cells: Floats) -> None:
    """Draw a matrix of cells over the whole axes.

    Args:
        axes: Empty.
        cells: (rows, columns, 4).
    """
    # One image: for 100 classes, one path per cell is a hundred times as large.
    axes.imshow(cells, aspect="auto", interpolation="none")
    axes.grid(visible=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(True)


def _write(axes: Axes, row: float, column: float, text: str, **style: Any) -> None:  # noqa: ANN401
    """Write text centred in a cell."""
    axes.text(column, row, text, ha="center", va="center", **style)
