import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldwise.core.errors import InputError
from foldwise.data.arrange import join_groups, match_groups
from foldwise.data.grouping import number_by_appearance

values = st.lists(st.integers(0, 9), min_size=1, max_size=30)


@given(values)
def test_numbers_are_given_in_order_of_first_appearance(values):
    seen = list(dict.fromkeys(values))
    assert number_by_appearance(np.array(values)).tolist() == [
        seen.index(value) for value in values
    ]


def linked(content, names):
    """Return the groups as found by joining until nothing changes."""
    groups = list(range(len(content)))
    changed = True
    while changed:
        before = list(groups)
        for keys in (content, names):
            lowest = {}
            for key, group in zip(keys, groups, strict=True):
                lowest[key] = min(group, lowest.get(key, group))
            groups = [lowest[key] for key in keys]
        changed = groups != before
    return number_by_appearance(np.array(groups)).tolist()


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from("abcdef")), min_size=1, max_size=30))
def test_chains_of_equal_pixels_or_equal_names_are_one_group(pairs):
    content, names = zip(*pairs, strict=True)
    assert join_groups(number_by_appearance(np.array(content)), list(names)).tolist() == linked(
        content, names
    )


@given(values)
def test_without_names_equal_pixels_are_a_group(values):
    assert (
        join_groups(np.array(values), None).tolist()
        == number_by_appearance(np.array(values)).tolist()
    )


def test_the_patterns_group_names_the_group():
    files = ["a/p1_x.png", "a/p2_y.png", "b/p1_z.png"]
    assert match_groups(files, r"/(p\d+)_") == ["p1", "p2", "p1"]
    assert match_groups(files, None) is None


def test_file_names_that_do_not_match_are_counted_and_the_first_listed():
    files = ["a/p1.png", *(f"b/{index}.png" for index in range(8))]
    with pytest.raises(InputError) as caught:
        match_groups(files, r"p(\d)")
    message = str(caught.value)
    assert "prepare.groups is 'p(\\d)'" in message
    assert "8 of 9 file names" in message
    assert " b/0.png, b/1.png, b/2.png, b/3.png, b/4.png; widen the pattern" in message


def test_group_that_takes_no_part_in_the_match_is_no_match():
    with pytest.raises(InputError, match="1 of 2 file names"):
        match_groups(["a1", "b"], r"a(\d)|b")
