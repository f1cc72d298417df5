import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foldwise.data.arrange import join_groups
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
