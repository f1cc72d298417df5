import itertools
import unicodedata

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from foldwise.report.figures.labels import (
    GAP,
    apart,
    class_names,
    drawable,
    nearest,
    place,
    shorten,
)
from foldwise.report.figures.style import as_svg, words

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


# In the first, a new line would cross an old label; in the second, a new label an old line.
@example([(300.0, 105), (290.0, 110), (310.0, 125), (230.0, 110), (220.0, 100)], 130.0)
@example([(240.0, 100), (300.0, 85), (280.0, 95), (210.0, 75), (270.0, 95)], 60.0)
@given(POINTS, st.floats(20, 130))
def test_no_line_to_a_label_crosses_another_label(points, width):
    size = (width, 12.0)
    corners = place(points, [size] * len(points), FRAME)
    for index, (point, corner) in enumerate(zip(points, corners, strict=True)):
        end = nearest(point, corner, size)
        for share in np.linspace(0.05, 0.95, 19):
            x, y = (a + share * (b - a) for a, b in zip(point, end, strict=True))
            for left, bottom in corners[:index] + corners[index + 1 :]:
                assert not overlap((left, bottom, left + width, bottom + 12), (x, y, x, y))


def test_nearest_place_of_a_label():
    assert nearest((0, 0), (3, -5), (10, 10)) == (3, 0)
    assert nearest((5, 9), (3, -5), (10, 10)) == (5, 5)
    assert nearest((99, -99), (3, -5), (10, 10)) == (13, -5)


def test_lonely_label_is_beside_its_point():
    assert place([(100.0, 50.0)], [(40.0, 10.0)], FRAME) == [(100 + GAP, 45.0)]


def test_label_at_the_right_edge_goes_left():
    assert place([(550.0, 50.0)], [(40.0, 10.0)], FRAME) == [(550 - GAP - 40, 45.0)]


def test_label_that_fits_nowhere_is_still_placed():
    assert len(place([(1.0, 1.0)] * 3, [(999.0, 999.0)] * 3, FRAME)) == 3


def test_label_goes_a_little_further_to_cover_no_line():
    bar = (120.0, 20.0, 120.0, 80.0)
    (beside,) = place([(100.0, 50.0)], [(40.0, 10.0)], FRAME, [bar])
    assert beside == (100 - GAP - 40, 45.0)
    walls = [(x, 0.0, x, 200.0) for x in (80.0, 85.0, 115.0, 120.0)]
    (covering,) = place([(100.0, 50.0)], [(90.0, 10.0)], FRAME, walls)
    assert covering == (100 + GAP, 45.0), "no place is better than the first"


@given(st.lists(st.floats(0, 99), max_size=9), st.floats(0, 10))
def test_places_apart_keep_order_distance_and_range(places, step):
    moved = apart(sorted(places), step, 99)
    assert len(moved) == len(places)
    assert all(high - low >= step - 1e-9 for low, high in itertools.pairwise(moved))
    assert all(-1e-9 <= one <= 99 for one in moved)


@given(st.lists(st.integers(0, 9), unique=True))
def test_places_that_are_apart_stay(places):
    rising = [10.0 * place for place in sorted(places)]
    assert apart(rising, 10, 99) == rising


@given(st.text(), st.integers(3, 50))
def test_a_short_name_stays_and_a_long_one_loses_its_middle(text, longest):
    short = shorten(text, longest)
    if len(text) <= longest:
        assert short == text
    else:
        head, tail = short.split("…", 1) if "…" not in text else (short[:1], short[-1:])
        assert len(short) == longest
        assert text.startswith(head)
        assert text.endswith(tail)


@given(st.lists(st.text(), unique=True, max_size=8), st.integers(3, 8))
def test_no_two_classes_look_alike(classes, longest):
    shown = class_names(classes, longest)
    assert len(set(shown)) == len(classes)


@example("a\ufdd0b\uffff")
@given(st.text())
def test_every_text_becomes_one_line_of_glyphs_that_there_are(text):
    line = drawable(text)
    assert len(line.splitlines()) <= 1
    assert not any(unicodedata.category(one) == "Cf" for one in line)
    assert drawable(line) == line.strip() or line != line.strip()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("cat", "cat"),
        ("你好", "0: □□"),
        ("a\nb", "0: a b"),
        ("abcdefghijk", "0: abcd…ijk"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}tac", "0: tac"),
        ("a\ufdd0b", "0: a□b"),
        ("7: cat", "0: 7: cat"),
        ("", ""),
    ],
)
def test_a_class_that_is_not_shown_whole_has_its_number(name, shown):
    assert class_names([name], 8) == [shown]


def test_a_missing_glyph_is_no_warning():
    assert "svg" in as_svg(lambda: words(drawable("你\N{ZERO WIDTH JOINER}好 \x00 \U0010ffff")))
