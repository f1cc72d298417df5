import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldwise.selection.statistics import holm, holm_levels

PS = st.lists(st.floats(0, 1), min_size=1, max_size=10)


def test_published_values():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_nothing_to_compare():
    assert holm([]) == []
    assert holm([0.3]) == [0.3]


@given(PS, st.sampled_from([0.01, 0.05, 0.2]))
def test_rejects_what_the_step_down_procedure_rejects(p, level):
    rejected = set()
    for step, test in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        if p[test] * (len(p) - step) > level:
            break
        rejected.add(test)
    assert {test for test, adjusted in enumerate(holm(p)) if adjusted <= level} == rejected


@given(PS, st.randoms(use_true_random=False))
def test_order_of_the_tests_does_not_matter(p, random):
    order = random.sample(range(len(p)), len(p))
    assert holm([p[i] for i in order]) == [holm(p)[i] for i in order]


@given(PS)
def test_between_the_single_test_and_bonferroni(p):
    for single, adjusted in zip(p, holm(p), strict=True):
        assert single <= adjusted <= min(1, len(p) * single)


@given(PS, st.integers(0, 5))
def test_unseen_tests_count_as_not_significant(p, n):
    assert holm(p, n) == holm([*p, *[1.0] * n])[: len(p)]


@given(PS, st.sampled_from([0.01, 0.05, 0.2]), st.integers(0, 5))
def test_level_is_the_p_value_up_to_which_a_test_is_significant(p, alpha, n):
    for test, level in enumerate(holm_levels(p, alpha, n)):
        for share, significant in ((0.999, True), (1.001, False)):
            moved = [*p[:test], share * level, *p[test + 1 :]]
            assert (holm(moved, n)[test] <= alpha) == significant


def test_level_of_the_first_of_four_tests_is_that_of_bonferroni():
    assert holm_levels([0.02, 0.04, 0.03, 0.5], 0.05) == pytest.approx([0.05 / 4] * 4)
    assert holm_levels([0.01, 0.04, 0.03, 0.5], 0.05) == pytest.approx([0.05 / 4, *[0.05 / 3] * 3])
