import math
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from foldwise.selection.statistics import (
    POWER,
    detectable_difference,
    power,
    repeats_needed,
    smallest_detectable,
    smallest_significant,
)


@pytest.mark.parametrize(
    ("k", "repeats", "smallest"),
    [(5, 1, 1.862), (5, 2, 1.338), (5, 10, 1.044), (10, 1, 1.039), (10, 10, 0.691)],
)
def test_smallest_significant_difference_in_standard_deviations(k, repeats, smallest):
    assert smallest_significant(k * repeats, k, 0.95) == pytest.approx(smallest, abs=5e-4)


@pytest.mark.parametrize(("k", "floor"), [(5, 0.980), (10, 0.653)])
def test_repeats_cannot_lower_it_below_a_floor(k, floor):
    assert smallest_significant(k * 10**5, k, 0.95) == pytest.approx(floor, abs=5e-4)


@given(
    st.floats(0, 4),
    st.integers(3, 60),
    st.integers(2, 20),
    st.sampled_from([0.8, 0.95, 0.99]),
)
def test_power_is_that_of_the_noncentral_t(effect, n, k, confidence):
    t, shift = stats.t.ppf((1 + confidence) / 2, n - 1), effect / math.sqrt(1 / n + 1 / (k - 1))
    expected = 1 - stats.ncf.cdf(t**2, 1, n - 1, shift**2)  # t² is a noncentral F
    assert power(effect, n, k, confidence) == pytest.approx(expected, abs=1e-4)


@given(st.integers(2, 100), st.integers(2, 20), st.floats(0.51, 0.999))
def test_power_without_a_difference_is_the_level_of_the_test(n, k, confidence):
    assert power(0, n, k, confidence) == pytest.approx(1 - confidence, abs=1e-3)


@given(st.integers(2, 200), st.integers(2, 20), st.floats(0.51, 0.999))
def test_smallest_found_difference_is_found_with_that_power(n, k, confidence):
    effect = smallest_detectable(n, k, confidence)
    assert power(effect, n, k, confidence) == pytest.approx(POWER, abs=1e-6)
    assert power(effect * 1.01, n, k, confidence) > POWER


@given(st.floats(0.5, 6), st.integers(2, 10))
def test_fewest_repeats_that_find_a_difference(effect, k):
    needed = repeats_needed(effect, k, 0.95)
    if needed is None:
        assert power(effect, 100 * k, k, 0.95) < POWER
    else:
        assert power(effect, needed * k, k, 0.95) >= POWER
        assert needed == 1 or power(effect, (needed - 1) * k, k, 0.95) < POWER


def test_no_number_of_repeats_finds_what_is_below_the_floor():
    floor = (stats.norm.ppf(0.975) + stats.norm.ppf(POWER)) / math.sqrt(5 - 1)
    assert repeats_needed(floor, 5, 0.95) is None
    assert repeats_needed(1.1 * floor, 5, 0.95) == 7


@pytest.mark.parametrize(
    ("repeats", "resplit", "keys"),
    [
        (1, True, ["5 folds once", "about 1.9 standard deviations"]),
        (2, True, ["5 folds 2 times", "about 1.3 standard deviations"]),
        (2, False, ["5 folds 2 times with the same splits, averaged,", "about 1.9 standard"]),
    ],
)
def test_design_in_words(repeats, resplit, keys):
    found = detectable_difference(repeats, 5, 0.95, resplit=resplit)
    for key in (*keys, "ten repeats, 1.0"):
        assert key in found.text
    assert found.significant < found.minimum_detectable_effect
    assert found.with_ten_repeats == pytest.approx(1.044, abs=5e-4)


def test_repeats_of_the_same_folds_do_not_make_a_design_finer():
    same, own = (detectable_difference(2, 5, 0.95, resplit=resplit) for resplit in (False, True))
    assert (
        same.significant
        == detectable_difference(1, 5, 0.95, resplit=True).significant
        > own.significant
    )


def test_power_is_the_same_on_every_cpu():
    """Else the pull request of another machine has other reports. BLAS sums in another order."""
    cases = [(effect / 7, n, 5, 0.95) for effect in range(1, 21) for n in (5, 10, 50)]
    code = f"from foldwise.selection.statistics import power; print([power(*c) for c in {cases}])"
    older = os.environ | {"OPENBLAS_CORETYPE": "Nehalem"}
    printed = subprocess.check_output([sys.executable, "-c", code], env=older, text=True)
    assert printed == f"{[power(*case) for case in cases]}\n"
