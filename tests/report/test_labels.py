from hypothesis import given
from hypothesis import strategies as st

from stages.report.figures.labels import RADIUS, place

FRAME = (0.0, 0.0, 560.0, 200.0)
POINTS = st.lists(st.tuples(st.floats(150, 400), st.floats(60, 140)), min_size=1, max_size=4)


def overlap(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@given(POINTS, st.floats(20, 130))
def test_labels_cover_no_label_and_no_point(points, width):
    sizes = [(width, 12.0)] * len(points)
    boxes = [(x, y, x + width, y + 12.0) for x, y in place(points, sizes, FRAME)]
    for index, box in enumerate(boxes):
        assert not any(overlap(box, other) for other in boxes[:index])
        assert not any(overlap(box, (x, y, x, y)) for x, y in points)


def test_lonely_label_is_beside_its_point():
    assert place([(100.0, 50.0)], [(40.0, 10.0)], FRAME) == [(100 + 1.5 * RADIUS, 45.0)]


def test_label_at_the_right_edge_goes_left():
    assert place([(550.0, 50.0)], [(40.0, 10.0)], FRAME) == [(550 - 1.5 * RADIUS - 40, 45.0)]


def test_label_that_fits_nowhere_is_still_placed():
    assert len(place([(1.0, 1.0)] * 3, [(999.0, 999.0)] * 3, FRAME)) == 3
