import itertools

from figure_cases import Case
from hypothesis import given
from hypothesis import strategies as st

from foldwise.report.figures.style import apart, failed, shorten


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


def test_a_note_names_ten_architectures_that_failed():
    few, many = (
        failed(Case({f"n{at:02}": [None, 0.9] for at in range(n)}).comparison) for n in (10, 12)
    )
    assert few.endswith("n08, n09")
    assert many.endswith("n08, n09 and 2 more")
