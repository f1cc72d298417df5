"""Figure of the confusion matrix of the chosen architecture."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from foldwise.report.figures.labels import apart, class_names, shorten
from foldwise.report.figures.style import (
    FADED,
    UNDER_TEXT,
    Floats,
    canvas,
    shade,
    shades,
    words,
    write,
)

Counts = NDArray[np.int64]

STEPS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)  # shares above which an error is a shade darker
LONGEST = 22  # characters of a class
LARGEST_CELL, LARGEST = 0.55, 5.5  # inches of one cell, and of the matrix
CHARACTER = 0.085  # inches, about
NUMBERS, TWO_LINES, NAMES = 20, 10, 36  # most classes for numbers, two lines per cell, all names
NAMED = 12  # pairs whose classes are named if there are more than NAMES classes
APART = 11.0  # points between two names
LEAD = 14.0  # points between a name and the cells


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
    figure = canvas(height=1.2 + below + min(LARGEST, LARGEST_CELL * n))
    axes = figure.subplots()
    strongest = UNDER_TEXT if n <= NUMBERS else 1
    shade(axes, _shades(shares, strongest))
    figure.suptitle(_title(images, shorten(model)), fontsize=10)
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


def _title(images: Counts, model: str) -> str:
    correct, total = np.trace(images), images.sum()
    return f"{model}: {correct:,} of {total:,} images correct ({100 * correct / total:.2f} %)"


def _write_cells(axes: Axes, images: Counts, shares: Floats) -> None:
    two = len(images) <= TWO_LINES
    size = 9 if two else 7
    for row, column in zip(*images.nonzero(), strict=True):
        number = _short(images[row, column])
        write(axes, row - 0.14 * two, column, number, fontsize=size)
        if two:
            share = f"{100 * shares[row, column]:.1f} %"
            write(axes, row + 0.22, column, share, fontsize=7)


def _short(count: int) -> str:
    """Return "12345", or "123k" for a number that is too long for its cell."""
    return str(count) if count < 100_000 else f"{count / 1000:.0f}k"


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
    figure.legend(
        [correct, *handles],
        ["correct; errors:", *names],
        loc="outside lower center",
        ncols=len(names) + 1,
        columnspacing=1.2,
        handlelength=1.2,
    )
