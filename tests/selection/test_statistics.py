import math
from statistics import fmean, stdev, variance

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import PUBLISHED, differences
from scipy import stats

from foldwise.selection.statistics import (
    confidence_interval,
    resampled_values,
    sample,
    standard_error,
    two_sided_p,
)

SHARES = st.lists(st.integers(0, 1000).map(lambda n: n / 1000), min_size=2, max_size=30)
FOLDS = st.integers(2, 20)


@given(SHARES, FOLDS, st.randoms(use_true_random=False))
def test_order_of_the_scores_does_not_matter(scores, n_folds, random):
    assert sample(random.sample(scores, len(scores)), n_folds) == sample(scores, n_folds)


@given(SHARES, FOLDS)
def test_interval_holds_the_mean_and_grows_with_the_confidence(scores, n_folds):
    found = sample(scores, n_folds)
    (low, high), (lower, higher) = (confidence_interval(found, c) for c in (0.8, 0.99))
    assert lower <= low <= fmean(scores) <= high <= higher


@given(SHARES, FOLDS)
def test_corrected_error_is_never_below_the_floor_that_repeats_cannot_lower(scores, n_folds):
    floor = stdev(scores) / math.sqrt(n_folds - 1)
    assert standard_error(sample(scores, n_folds)) >= floor - 1e-12


@given(st.floats(0, 1), st.integers(2, 30))
def test_equal_scores_give_the_mean_twice(score, n):
    low, high = confidence_interval(sample([score] * n, 5), 0.95)
    assert low == high == pytest.approx(score, abs=1e-15)


def test_spread_by_rounding_alone_is_none():
    assert sample([0.9 - 0.8, 0.8 - 0.7, 0.1], 3).std == 0
    assert sample([1e-10, 2e-10, 3e-10], 3).std > 0


def test_closed_form():
    # s² = 1: √(1/3 + 1/2) = √(5/6); t of 2 degrees at p is (2p − 1) / √(2p(1 − p)), here 4.302653
    found = sample([1, 2, 3], 3)
    assert standard_error(found) == pytest.approx(math.sqrt(5 / 6), rel=1e-15)
    half = math.sqrt(5 / 6) * 0.95 / math.sqrt(2 * 0.975 * 0.025)
    assert confidence_interval(found, 0.95) == pytest.approx((2 - half, 2 + half), rel=1e-12)


@given(SHARES.filter(lambda scores: len(set(scores)) > 1), st.floats(0.5, 0.999))
def test_agrees_with_scipy(scores, confidence):
    n, n_folds = len(scores), 7
    found = sample(scores, n_folds)
    scale = math.sqrt(variance(scores) * (1 / n + 1 / (n_folds - 1)))
    expected = stats.t.interval(confidence, n - 1, loc=sum(scores) / n, scale=scale)
    assert confidence_interval(found, confidence) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    naive = stats.ttest_1samp(scores, 0.5)
    assert two_sided_p(naive.statistic, n) == pytest.approx(naive.pvalue, rel=1e-9)


@given(SHARES, FOLDS, st.floats(-1, 1), st.floats(0.01, 100))
def test_interval_moves_and_stretches_with_the_scores(scores, n_folds, shift, factor):
    moved = confidence_interval(sample([shift + factor * score for score in scores], n_folds), 0.9)
    expected = [shift + factor * end for end in confidence_interval(sample(scores, n_folds), 0.9)]
    assert moved == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_published_comparison_over_ten_by_ten_folds():
    # scikit-learn's example "Statistical comparison of models using grid search"
    found = PUBLISHED["sk_rbf_linear"]
    assert found.std**2 == pytest.approx(0.00146667, abs=1e-8)
    t = found.mean / standard_error(found)
    assert t == pytest.approx(0.750313, abs=1e-6)
    assert two_sided_p(t, 100) / 2 == pytest.approx(0.227423, abs=1e-6)
    assert two_sided_p(-t, 100) == two_sided_p(t, 100)
    assert confidence_interval(found, 0.95) == pytest.approx((-0.016445, 0.036445), abs=1e-6)
    naive = found.mean / (found.std / 10)
    assert (naive, two_sided_p(naive, 100) / 2) == pytest.approx((2.611165, 0.005213), abs=4e-6)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_folds_have_the_mean_and_spread_that_the_oracles_take(name):
    found, expected = sample(differences(name), 10), PUBLISHED[name]
    assert found == pytest.approx(expected, rel=1e-12)


def test_repeats_with_folds_of_their_own_count_as_draws_of_their_own():
    assert resampled_values([[1, 2, 3], [5, 6, 10]], resplit=True) == [1, 2, 3, 5, 6, 10]


def test_repeats_of_the_same_folds_are_averaged_first():
    assert resampled_values([[1, 2, 3], [5, 6, 10]], resplit=False) == [3, 4, 6.5]
    assert resampled_values([[1, 2, 3]], resplit=False) == [1, 2, 3]
