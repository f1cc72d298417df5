import doctest
import math
from itertools import combinations
from statistics import fmean, stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from foldwise.files.verdict import Criteria
from foldwise.selection import pairs
from foldwise.selection.pairs import compare_pairs, compare_scores
from foldwise.selection.statistics import confidence_interval, sample

SHARE = st.integers(0, 50).map(lambda n: n / 50)
RUNS = st.lists(st.lists(SHARE, min_size=4, max_size=4), min_size=2, max_size=2)
A, B = [[0.90, 0.92, 0.95, 0.91]], [[0.85, 0.90, 0.88, 0.92]]  # .05, .02, .07, −.01


CRITERIA = Criteria(metric="accuracy", top_k=3, confidence=0.95, worth=0.01)


def pair(first, second, resplit=True, **changes):
    criteria = CRITERIA.model_copy(update=changes)
    (found,) = compare_pairs({"a": first, "b": second}, criteria, resplit=resplit)
    return found


def test_numbers_of_one_pair():
    found, d = pair(A, B), [0.05, 0.02, 0.07, -0.01]
    assert (found.first, found.second, found.n) == ("a", "b", 4)
    assert (found.mean, found.std) == (pytest.approx(fmean(d)), pytest.approx(stdev(d)))
    # corrected: s² · (1/4 + 1/3), where the plain test has s² / 4
    naive = stats.ttest_rel(A[0], B[0])
    t = naive.statistic / math.sqrt(1 + 4 / 3)
    assert found.t == pytest.approx(t)
    assert found.p == found.p_holm == pytest.approx(2 * stats.t.sf(t, 3))
    assert found.interval == pytest.approx(confidence_interval(sample(d, 4), 0.95))
    assert found.detectable == pytest.approx((found.interval[1] - found.interval[0]) / 2)
    assert found.wins == 3 / 4
    assert not found.different


def test_architectures_pair_by_repeat_and_fold():
    shifted = [[x - 0.05 for x in row] for row in A]
    found = pair(A, shifted)
    assert (found.mean, found.std, found.t) == (pytest.approx(0.05), 0, None)
    assert (found.p, found.different, found.better, found.wins) == (0, True, 1, 1)
    assert found.interval == pytest.approx((0.05, 0.05))


def test_same_scores_are_equal_for_sure():
    found = pair(A, A)
    assert (found.mean, found.t, found.p, found.different) == (0, None, 1, False)
    assert (found.better, found.equal, found.worse, found.wins) == (0, 1, 0, 0.5)


@given(RUNS, RUNS, st.sampled_from(["accuracy", "log_loss"]), st.booleans())
def test_exchange_of_both_mirrors_everything(first, second, metric, resplit):
    found = pair(first, second, metric=metric, resplit=resplit)
    mirrored = pair(second, first, metric=metric, resplit=resplit)
    low, high = found.interval
    assert mirrored.mean == -found.mean
    assert mirrored.interval == (-high, -low)
    assert (mirrored.p, mirrored.equal, mirrored.std) == (found.p, found.equal, found.std)
    assert (mirrored.better, mirrored.worse) == (found.worse, found.better)
    assert mirrored.wins == pytest.approx(1 - found.wins)


@given(RUNS, RUNS)
def test_lower_is_better_turns_around_who_is_better_and_no_difference(first, second):
    found, lower = pair(first, second), pair(first, second, metric="log_loss")
    assert (lower.mean, lower.interval, lower.t, lower.p) == (
        *(found.mean, found.interval, found.t, found.p),
    )
    assert (lower.better, lower.worse) == (found.worse, found.better)
    assert lower.wins == pytest.approx(1 - found.wins)


@given(RUNS, RUNS)
def test_interval_excludes_zero_where_a_single_pair_is_different(first, second):
    found = pair(first, second)
    low, high = found.interval
    assert found.different == (low > 0 or high < 0)
    assert found.different == (abs(found.mean) > found.detectable)


@given(RUNS, RUNS)
def test_repeats_of_the_same_folds_are_averaged_but_won_one_by_one(first, second):
    found = pair(first, second, resplit=False)
    means = [[fmean(column) for column in zip(*runs, strict=True)] for runs in (first, second)]
    once = pair([means[0]], [means[1]])
    assert found.n == once.n == 4
    assert found.p == pytest.approx(once.p, abs=1e-6)
    assert found.mean == pytest.approx(once.mean, abs=1e-9)
    assert found.wins == pair(first, second).wins
    assert pair(first, second).n == 8


@given(st.lists(RUNS, min_size=3, max_size=4))
def test_every_two_are_compared_and_holm_counts_all(runs):
    scores = dict(zip("abcd", runs, strict=False))
    found = compare_pairs(scores, CRITERIA, resplit=True)
    assert [(one.first, one.second) for one in found] == list(combinations(scores, 2))
    smallest = min(found, key=lambda one: one.p)
    assert smallest.p_holm == pytest.approx(min(1, smallest.p * len(found)))
    for one in found:
        assert one.p == pair(scores[one.first], scores[one.second]).p
        assert one.different == (one.p_holm <= 1 - 0.95)
        assert one.different == (abs(one.mean) > one.detectable)


def test_scores_of_a_notebook_are_compared_best_first():
    scores = {"b": B, "worst": [[0.1, 0.2, 0.3, 0.2]], "a": A}
    found = compare_scores(scores)
    assert [(one.first, one.second) for one in found] == [
        ("a", "b"),
        ("a", "worst"),
        ("b", "worst"),
    ]
    assert found == compare_pairs(
        {name: scores[name] for name in ("a", "b", "worst")}, CRITERIA, resplit=True
    )
    assert compare_scores(scores, "log_loss")[0].first == "worst"
    assert compare_scores({name: np.array(rows) for name, rows in scores.items()}) == found
    assert compare_scores({"a": A * 2, "b": B * 2}, resplit=False) == compare_scores(
        {"a": A, "b": B}
    )


@pytest.mark.parametrize(
    ("scores", "changes", "key"),
    [
        ({}, {}, "scores: "),
        ({"a": [[0.5]], "b": [[0.6]]}, {}, "at least 2"),
        ({"a": A, "b": [[0.5, 0.6]]}, {}, r"'a': \[4\], 'b': \[2\]"),
        ({"a": [A[0], A[0][:2]], "b": [B[0], B[0][:2]]}, {}, r"\[4, 2\]"),
        ({"a": A, "b": [[math.nan] * 4]}, {}, "NaN"),
        ({"a": A, "b": B}, {"metric": "f1"}, "metric"),
        ({"a": A, "b": B}, {"confidence": 95}, "confidence"),
    ],
)
def test_scores_that_cannot_be_compared(scores, changes, key):
    with pytest.raises(ValueError, match=key):
        compare_scores(scores, **changes)


def test_example_in_the_documentation():
    assert doctest.testmod(pairs) == (0, 5)


@pytest.mark.parametrize("scores", [[0.8, 0.9], np.array([0.8, 0.9]), [[[0.8, 0.9]]]])
def test_scores_without_repeats_are_refused(scores):
    with pytest.raises(ValueError, match=r"expected a list of repeats for each name, each a list"):
        compare_scores({"a": scores, "b": scores})
