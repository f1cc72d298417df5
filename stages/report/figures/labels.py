"""Where the labels of points go, so that none covers another label or a point."""

from collections.abc import Sequence

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, bottom, right, top

RADIUS = 6.0  # kept free around every point
_STEPS = (0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 4.0, -4.0, 5.0, -5.0, 6.0, -6.0, 7.0, -7.0)


def place(points: Sequence[Point], sizes: Sequence[Point], frame: Box) -> list[Point]:
    """Return the lower left corner of each label: beside its point, or as near as is free.

    Labels are placed from the top down, each at the first free place: right or left of the point,
    then ever more lines above and below. A label that finds none goes to its right.

    Args:
        points: (n,) x, y of each point, in the unit of the sizes.
        sizes: (n,) width, height of each label.
        frame: Inside which labels should stay.
    """
    taken = [_around(point) for point in points]
    corners: dict[int, Point] = {}
    for index in sorted(range(len(points)), key=lambda index: -points[index][1]):
        places = _candidates(points[index], sizes[index])
        free = (spot for spot in places if _is_free(_box(spot, sizes[index]), taken, frame))
        corners[index] = next(free, places[0])
        taken.append(_box(corners[index], sizes[index]))
    return [corners[index] for index in range(len(points))]


def _around(point: Point) -> Box:
    x, y = point
    return x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS


def _candidates(point: Point, size: Point) -> list[Point]:
    (x, y), (width, height) = point, size
    return [
        (left, y - height / 2 + lines * height)
        for lines in _STEPS
        for left in (x + 1.5 * RADIUS, x - 1.5 * RADIUS - width)
    ]


def _box(corner: Point, size: Point) -> Box:
    return corner[0], corner[1], corner[0] + size[0], corner[1] + size[1]


def _is_free(box: Box, taken: Sequence[Box], frame: Box) -> bool:
    inside = frame[0] <= box[0] and frame[1] <= box[1] and box[2] <= frame[2] and box[3] <= frame[3]
    return inside and not any(_overlap(box, other) for other in taken)


def _overlap(one: Box, other: Box) -> bool:
    apart_x = one[2] <= other[0] or other[2] <= one[0]
    apart_y = one[3] <= other[1] or other[3] <= one[1]
    return not (apart_x or apart_y)
