"""Figures that are matrices: confusion of classes, and probabilities of pairs."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from foldwise.core.fonts import drawable, font_families
from foldwise.files.comparison import Comparison, Pair
from foldwise.files.verdict import percent
from foldwise.report.figures.style import FADED, apart, canvas, failed, note, shorten

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

UNDER_TEXT = 0.65  # opacity on which text has a contrast of 4.5 or more, light and dark
STEPS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)  # shares above which an error is a shade darker
LONGEST_CLASS = 22  # characters
CLASS_CELL, CLASS_MATRIX = 0.55, 5.5  # largest sizes, in inches
CHARACTER = 0.085  # inches, about
NUMBERS, TWO_LINES, NAMES = 20, 10, 36  # most classes for numbers, two lines per cell, all names
NAMED = 12  # pairs whose classes are named if there are more than NAMES classes
NAME_STEP, LEADER = 0.03, 0.035  # of the axes: between two names, and length of a leader line
LEADER_PAD = 16  # points between such names and the cells
PAIR_CELL, SMALLEST_PAIR_CELL, PAIR_MATRIX = 0.75, 0.42, 4.6  # inches


def draw_confusion(confusion: pd.DataFrame, classes: list[str], model: str) -> Figure:
    """Return the figure: a row is a true class, a column a predicted class.

    Blue is correct and orange is an error; darker is a larger share of the row. The shades of
    errors have their own steps, because rare errors would be invisible beside the diagonal. Cells
    hold the number and share of images for up to 10 classes, and the number for up to 20. With
    more than 36 classes, only the classes of the twelve most confused pairs are named.

    Args:
        confusion: The table of CONFUSION.
        classes: In the order of the rows; any text.
        model: The chosen architecture.
    """
    table = confusion.pivot(index="true", columns="predicted", values="images")
    images = table.reindex(index=classes, columns=classes).fillna(0).to_numpy(np.int64)
    shares = images / np.maximum(images.sum(axis=1, keepdims=True), 1)
    n, names = len(classes), class_names(classes)
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
        _name_confused(axes, names, images)
    axes.set_ylabel("true class")
    axes.set_xlabel("predicted class")
    _name_shades(figure, strongest)
    return figure


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
    style: dict[str, Any] = {"fontsize": size, "fontfamily": font_families(names)}
    axes.set_xticks(places, names, rotation=90 if wide else 0, **style)
    axes.set_yticks(places, names, **style)


def _name_confused(axes: Axes, names: Sequence[str], images: Counts) -> None:
    """Name the classes of the most confused pairs, with leader lines to their rows and columns."""
    n, errors = len(names), images * (1 - np.eye(len(images), dtype=np.int64))
    order = np.argsort(-errors, axis=None, kind="stable")[:NAMED]
    rows, columns = np.unravel_index(order[errors.flat[order] > 0], images.shape)
    axes.tick_params(pad=LEADER_PAD, labelsize=8)
    axes.tick_params("x", rotation=90)
    style: dict[str, Any] = {"color": FADED, "linewidth": 0.6, "clip_on": False}
    for axis, labels in ((axes.yaxis, rows), (axes.xaxis, columns)):
        named = sorted(set(labels.tolist()))
        places = apart(named, NAME_STEP * n, n - 1)
        texts = [names[label] for label in named]
        axis.set_ticks(places, texts, fontfamily=font_families(texts))
        for ends in zip(named, places, strict=True):
            if axis is axes.yaxis:
                axes.plot((0, -LEADER), ends, transform=axes.get_yaxis_transform(), **style)
            else:
                axes.plot(ends, (0, -LEADER), transform=axes.get_xaxis_transform(), **style)


def _name_shades(figure: Figure, strongest: float) -> None:
    steps = shades(np.arange(1, len(STEPS) + 1) / len(STEPS), "C1", strongest)
    names = [f"> {100 * share:.0f} %" for share in STEPS]
    handles = [Patch(facecolor=tuple(step)) for step in steps]
    correct = Patch(facecolor=tuple(shades(np.array(1.0), "C0", strongest)))
    layout: dict[str, Any] = {"ncols": len(names) + 1, "columnspacing": 1.2, "handlelength": 1.2}
    labels = ["correct; errors:", *names]
    figure.legend([correct, *handles], labels, loc="outside lower center", **layout)


def draw_pairs(comparison: Comparison) -> Figure:
    """Return the figure: the architectures that may be chosen; columns have the row's number.

    A cell holds the probability that the architecture of the row is better than that of the column
    by more than the ROPE. Below it, after "=", is the probability that the two are practically
    equal. Bold probabilities reach the threshold of the design; darker is more probable. Failed
    architectures are named below.
    """
    names = [each.name for each in comparison.without_kept_out().finished]
    n, design = len(names), comparison.design
    cell = min(PAIR_CELL, max(SMALLEST_PAIR_CELL, PAIR_MATRIX / n))
    figure = canvas(height=1.1 + cell * n)
    axes = figure.subplots()
    better = np.zeros((n, n))
    for pair in comparison.pairs:
        first, second = names.index(pair.first), names.index(pair.second)
        better[first, second], better[second, first] = pair.better, pair.worse
        _write_pair(axes, (first, second), pair, design.confidence)
    _draw_cells(axes, shades(better, "C0"))
    axes.set_yticks(range(n), [f"{shorten(name)}  {row}" for row, name in enumerate(names, 1)])
    axes.xaxis.tick_top()
    axes.set_xticks(range(n), [f"than {column}" for column in range(1, n + 1)])
    for place in range(n):
        _write(axes, place, place, "–", color=FADED)
    explanation = (
        f"Probability that the row is better than the column by more than {design.worth:g} "
        f"{design.decides.label}; =: practically equal; bold: at least {design.percent} before "
        "rounding."
    )
    note(figure, explanation, failed(comparison))
    return figure


def _write_pair(axes: Axes, place: tuple[int, int], pair: Pair, confidence: float) -> None:
    """Write the two cells of a pair."""
    for row, column, better in ((*place, pair.better), (*place[::-1], pair.worse)):
        weight = "bold" if better >= confidence else "normal"
        _write(axes, row - 0.16, column, percent(better), fontsize=9, weight=weight)
        weight = "bold" if pair.equal >= confidence else "normal"
        _write(axes, row + 0.2, column, f"= {percent(pair.equal)}", fontsize=7.5, weight=weight)


def class_names(classes: Sequence[str], longest: int = LONGEST_CLASS) -> list[str]:
    """Return a different label for each class.

    A name that cannot be shown whole has its position in the list, from 0, before it.

    Args:
        classes: All different; any text.
        longest: Characters; longer names are shortened.
    """
    labels = []
    for number, name in enumerate(classes):
        label = shorten(drawable(name), longest)
        is_whole = label == name and not re.match(r"\d+: ", name)
        labels.append(label if is_whole else f"{number}: {label}")
    return labels


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
