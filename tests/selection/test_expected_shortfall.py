import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from foldwise.selection.statistics import Sample, expected_shortfall, standard_error

MEANS, STDS = st.floats(-0.2, 0.2), st.floats(0.001, 0.1)


@settings(max_examples=40, deadline=None)
@given(MEANS, STDS, st.integers(2, 40), st.integers(2, 10))
def test_agrees_with_numerical_integration(mean, std, n, k):
    values = Sample(mean, std, n, k)
    posterior = stats.t(n - 1, mean, standard_error(values))
    # E[max(0, D)] is the integral of P(D > x); with two values D counts as 1 at most
    parts = [(0, 0.3), (0.3, 1)] if n == 2 else [(0, 0.3), (0.3, math.inf)]
    expected = sum(quad(posterior.sf, *part)[0] for part in parts)
    assert expected_shortfall(values) == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_agrees_with_draws_from_the_posterior():
    values = Sample(0.004, 0.012, 5, 5)
    draws = stats.t(4, 0.004, standard_error(values)).rvs(400_000, random_state=0)
    positive = np.maximum(draws, 0)
    error = 4 * positive.std() / math.sqrt(len(draws))
    assert expected_shortfall(values) == pytest.approx(positive.mean(), abs=error)


@given(MEANS, STDS, st.integers(3, 40), st.integers(2, 10))
def test_either_way_differs_by_the_mean_and_grows_with_the_spread(mean, std, n, k):
    values = Sample(mean, std, n, k)
    shortfall = expected_shortfall(values)
    other = expected_shortfall(values._replace(mean=-mean))
    assert shortfall - other == pytest.approx(mean, abs=1e-12)
    assert shortfall >= max(0, mean)
    assert expected_shortfall(values._replace(std=2 * std)) >= shortfall


@given(st.floats(0, 9), st.floats(0, 1))
def test_two_values_give_at_least_their_mean_also_log_losses_far_apart(mean, std):
    assert expected_shortfall(Sample(mean, std, 2, 2)) >= mean


@pytest.mark.parametrize("n", [2, 5])
def test_without_standard_error_it_is_the_difference(n):
    assert expected_shortfall(Sample(0.02, 0, n, 5)) == 0.02
    assert expected_shortfall(Sample(-0.02, 0, n, 5)) == 0
