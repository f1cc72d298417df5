import csv
import math
from pathlib import Path
from statistics import fmean, stdev, variance

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from stages.compare.corrected import interval, standard_error

ORACLES = Path(__file__).parents[3] / "shared" / "oracles"
SHARES = st.lists(st.integers(0, 1000).map(lambda n: n / 1000), min_size=2, max_size=30)


@given(SHARES, st.integers(2, 20), st.randoms(use_true_random=False))
def test_order_of_the_scores_does_not_matter(scores, n_folds, random):
    shuffled = random.sample(scores, len(scores))
    assert interval(shuffled, n_folds, 0.95) == interval(scores, n_folds, 0.95)


@given(SHARES, st.integers(2, 20))
def test_interval_holds_the_mean_and_grows_with_the_confidence(scores, n_folds):
    (low, high), (lower, higher) = (interval(scores, n_folds, c) for c in (0.8, 0.99))
    assert lower <= low <= math.fsum(scores) / len(scores) <= high <= higher


@given(SHARES, st.integers(2, 20))
def test_corrected_error_is_never_below_the_floor_that_repeats_cannot_lower(scores, n_folds):
    assert standard_error(scores, n_folds) >= stdev(scores) / math.sqrt(n_folds - 1) - 1e-12


@given(st.floats(0, 1), st.integers(2, 30))
def test_equal_scores_give_the_mean_twice(score, n):
    low, high = interval([score] * n, 5, 0.95)
    assert low == high == pytest.approx(score, abs=1e-15)


def test_closed_form():
    # s² = 1: √(1/3 + 1/2) = √(5/6); t of 2 degrees at p is (2p − 1) / √(2p(1 − p)), here 4.302653
    assert standard_error([1, 2, 3], 3) == pytest.approx(math.sqrt(5 / 6), rel=1e-15)
    half = math.sqrt(5 / 6) * 0.95 / math.sqrt(2 * 0.975 * 0.025)
    assert interval([1, 2, 3], 3, 0.95) == pytest.approx((2 - half, 2 + half), rel=1e-12)


@pytest.mark.parametrize(
    ("k", "repeats", "smallest"),
    [(5, 1, 1.862), (5, 2, 1.338), (5, 10, 1.044), (10, 1, 1.039), (10, 10, 0.691)],
)
def test_smallest_detectable_difference_in_standard_deviations(k, repeats, smallest):
    n = k * repeats
    ramp = stats.zscore(range(n), ddof=1).tolist()
    assert interval(ramp, k, 0.95)[1] == pytest.approx(smallest, abs=5e-4)


@given(SHARES.filter(lambda scores: len(set(scores)) > 1), st.floats(0.5, 0.999))
def test_agrees_with_scipy(scores, confidence):
    n, n_folds = len(scores), 7
    scale = math.sqrt(variance(scores) * (1 / n + 1 / (n_folds - 1)))
    expected = stats.t.interval(confidence, n - 1, loc=sum(scores) / n, scale=scale)
    assert interval(scores, n_folds, confidence) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def differences(file, first, second):
    """Return first − second on each of 10 × 10 folds, as published."""
    if not ORACLES.is_dir():
        pytest.skip(f"needs {ORACLES}")
    with (ORACLES / file).open() as lines:
        return [float(row[first]) - float(row[second]) for row in csv.DictReader(lines)]


def test_scikit_learn_example_of_a_comparison_over_ten_by_ten_folds():
    found = differences("sk_rbf_linear.csv", "rbf", "linear")
    assert len(found) == 100
    assert fmean(found) == pytest.approx(0.01, abs=1e-12)
    assert variance(found) == pytest.approx(0.00146667, abs=1e-8)
    t = fmean(found) / standard_error(found, 10)
    assert t == pytest.approx(0.750313, abs=5e-7)
    assert stats.t.sf(t, 99) == pytest.approx(0.227423, abs=5e-7)
    assert interval(found, 10, 0.95) == pytest.approx((-0.016445, 0.036445), abs=5e-7)


@pytest.mark.parametrize(
    ("file", "first", "second", "rope", "expected"),
    [
        ("sk_rbf_linear.csv", "rbf", "linear", 0.01, (None, 0.431682, None)),
        ("sk_rbf_linear.csv", "rbf", "linear", 0, (0.772577, 0, 0.227423)),
        ("anneal_aode_nbc_percent.csv", "aode", "nbc", 1, (0.954286, 0.045714, 3.02e-7)),
        ("audiology_aode_nbc_percent.csv", "aode", "nbc", 1, (0.081963, 0.908725, 0.009312)),
    ],
)
def test_error_is_that_of_published_bayesian_comparisons(file, first, second, rope, expected):
    # Corani and Benavoli's posterior has this very scale: ρ / (1 − ρ) = 1 / (k − 1) for ρ = 1 / k.
    found = differences(file, first, second)
    posterior = stats.t(len(found) - 1, fmean(found), standard_error(found, 10))
    better, worse = posterior.sf(rope), posterior.cdf(-rope)
    for share, published in zip((better, 1 - better - worse, worse), expected, strict=True):
        digits = min(6e-7, 0.002 * (published or 1))  # six decimals, or three figures
        assert published is None or abs(share - published) <= digits + 1e-15


@given(SHARES, st.integers(2, 20), st.floats(-1, 1), st.floats(0.01, 100))
def test_interval_moves_and_stretches_with_the_scores(scores, n_folds, shift, factor):
    moved = interval([shift + factor * score for score in scores], n_folds, 0.9)
    expected = [shift + factor * end for end in interval(scores, n_folds, 0.9)]
    assert moved == pytest.approx(expected, rel=1e-9, abs=1e-9)
