import itertools

from hypothesis import given
from hypothesis import strategies as st

from foldwise.report.figures.style import apart, shorten


@given(st.lists(st.floats(0, 99), max_size=9), st.floats(0, 10))
def test_places_apart_keep_order_distance_and_range(places, step):
    moved = apart(sorted(places), step, 99)
    assert len(moved) == len(places)
    assert all(high - low >= step - 1e-9 for low, high in itertools.pairwise(moved))
    assert all(-1e-9 <= place <= 99 for place in moved)


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
