"""Labels of figures: text that the font can draw, and places where no label covers another."""

import functools
import re
import unicodedata
from collections.abc import Collection, Sequence

from matplotlib.font_manager import FontProperties, findfont, get_font

LONGEST = 40  # characters of an architecture: a third of the page
MISSING = "□"

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, bottom, right, top

RADIUS = 7.0  # around each point, kept free of labels
GAP = 1.5 * RADIUS  # from a point to the label beside it
_SPOTS = 10  # parts of a leader line between which it is tested for overlaps
_DETOUR = 6  # a position that covers a line counts as this many positions further away
_STEPS = [sign * lines for lines in range(1, 8) for sign in (1.0, -1.0)]  # of text, up or down


def shorten(text: str, longest: int = LONGEST) -> str:
    """Return a text of limited length; a longer text has "…" in place of its middle.

    Args:
        text: One line.
        longest: Characters, at least 3.
    """
    if len(text) <= longest:
        return text
    tail = (longest - 1) // 2
    return f"{text[: longest - 1 - tail]}…{text[-tail:]}"


def drawable(text: str) -> str:
    """Return text on one line, with a box for each character that the font lacks.

    Format characters, which are invisible, are removed: they could make one name look like
    another.
    """
    seen = (char for char in " ".join(text.split()) if unicodedata.category(char) != "Cf")
    return "".join(char if ord(char) in _glyphs() else MISSING for char in seen)


def class_names(classes: Sequence[str], longest: int) -> list[str]:
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


@functools.cache
def _glyphs() -> Collection[int]:
    return get_font(findfont(FontProperties(family="DejaVu Sans"))).get_charmap().keys()


def place(
    points: Sequence[Point], sizes: Sequence[Point], frame: Box, lines: Sequence[Box] = ()
) -> list[Point]:
    """Return the lower left corner of each label, beside its point or as near as possible.

    Labels are placed from the top down, each at the first free position: right, left, above or
    below the point, then more and more lines of text above and below. A position that covers a
    line counts as six positions further away. A label without a free position goes to the right
    of its point. The leader line from a point to its label crosses no other label.

    Args:
        points: (n,) x, y of each point, in the unit of the sizes.
        sizes: (n,) width, height of each label.
        frame: Inside which labels should stay.
        lines: Horizontal or vertical lines that labels should not cover.
    """
    markers, written = [_around(point) for point in points], list[Box]()
    corners: dict[int, Point] = {}
    for index in sorted(range(len(points)), key=lambda index: -points[index][1]):
        point, size = points[index], sizes[index]
        places = _candidates(point, size)
        free = [
            spot
            for spot in places
            if _is_free(_box(spot, size), [*markers, *written], frame)
            and not _touch(_line(point, spot, size), written)
        ]
        corners[index] = _nearest_clear(free, size, lines) if free else places[0]
        written += [_box(corners[index], size), *_line(point, corners[index], size)]
    return [corners[index] for index in range(len(points))]


def nearest(point: Point, corner: Point, size: Point) -> Point:
    """Return the position inside a label that is nearest to a point.

    Args:
        point: x, y.
        corner: Lower left corner of the label.
        size: Its width and height.
    """
    left, bottom, right, top = _box(corner, size)
    return min(max(point[0], left), right), min(max(point[1], bottom), top)


def apart(places: Sequence[float], step: float, last: float) -> list[float]:
    """Return positions near the original ones, in their order, at least a step apart.

    Args:
        places: Ascending, 0 .. last.
        step: In the same unit; all must fit.
        last: The highest position.
    """
    moved: list[float] = []
    for position in places:  # as low as the previous position allows
        moved.append(max(position, moved[-1] + step) if moved else position)
    for index in reversed(range(len(moved))):  # back below the highest position
        moved[index] = min(moved[index], last)
        last = moved[index] - step
    return moved


def _nearest_clear(free: Sequence[Point], size: Point, lines: Sequence[Box]) -> Point:
    boxes = [_box(corner, size) for corner in free]
    covered = [sum(_overlap(box, line) for line in lines) for box in boxes]
    steps = [at + _DETOUR * n_lines for at, n_lines in enumerate(covered)]
    return free[steps.index(min(steps))]


def _around(point: Point) -> Box:
    x, y = point
    return x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS


def _candidates(point: Point, size: Point) -> list[Point]:
    (x, y), (width, height) = point, size
    right, left, centred, level = x + GAP, x - GAP - width, x - width / 2, y - height / 2
    beside = [(right, level), (left, level), (centred, y + GAP), (centred, y - GAP - height)]
    far = [(x0, level + lines * height) for lines in _STEPS for x0 in (right, left, centred)]
    return beside + far


def _box(corner: Point, size: Point) -> Box:
    return corner[0], corner[1], corner[0] + size[0], corner[1] + size[1]


def _line(point: Point, corner: Point, size: Point) -> list[Box]:
    """Return points along the leader line from a point to its label, as boxes without size."""
    (x, y), (end_x, end_y) = point, nearest(point, corner, size)
    shares = [spot / _SPOTS for spot in range(1, _SPOTS)]
    spots = [(x + share * (end_x - x), y + share * (end_y - y)) for share in shares]
    return [(x, y, x, y) for x, y in spots]


def _is_free(box: Box, taken: Sequence[Box], frame: Box) -> bool:
    inside = frame[0] <= box[0] and frame[1] <= box[1] and box[2] <= frame[2] and box[3] <= frame[3]
    return inside and not _touch([box], taken)


def _touch(boxes: Sequence[Box], others: Sequence[Box]) -> bool:
    return any(_overlap(box, other) for box in boxes for other in others)


def _overlap(box: Box, other: Box) -> bool:
    return box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
