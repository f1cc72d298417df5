import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldwise.selection.statistics import holm

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
