import math

import pytest
from simulation import (
    DESIGNS,
    alarms_of_real_folds,
    cross_validated,
    draw,
    equal_architectures,
    found_differences,
)

from foldwise.selection.statistics import power, smallest_detectable

N = 4000  # comparisons


def noise(share, n=N):
    """Return three standard errors of a share of n comparisons."""
    return 3 * math.sqrt(share * (1 - share) / n)


@pytest.mark.parametrize(("k", "repeats"), DESIGNS)
@pytest.mark.parametrize("m", [3, 6])
def test_equal_architectures_are_called_different_in_at_most_5_percent(k, repeats, m):
    found = equal_architectures(k, repeats, m, N)
    assert found.corrected <= 0.05 + noise(0.05)
    assert found.naive > 2 * found.corrected


@pytest.mark.parametrize(("k", "repeats"), DESIGNS)
def test_intervals_cover_as_often_as_they_say(k, repeats):
    found = equal_architectures(k, repeats, 3, N)
    assert 0.93 <= found.covered <= 0.97
    assert 0.93 <= found.covered_difference <= 0.97


@pytest.mark.parametrize(("k", "repeats"), DESIGNS)
@pytest.mark.parametrize("share", [0.5, 1])
def test_known_differences_are_found_as_often_as_the_formula_says(k, repeats, share):
    effect = share * smallest_detectable(k * repeats, k, 0.95)
    said = power(effect, k * repeats, k, 0.95)
    assert found_differences(k, repeats, effect, N) == pytest.approx(said, abs=noise(said))
    assert said == pytest.approx(0.8, abs=1e-6) or share < 1


@pytest.mark.parametrize(("k", "repeats"), DESIGNS)
def test_equally_good_learners_on_real_folds_are_told_apart_in_at_most_5_percent(k, repeats):
    corrected, naive = alarms_of_real_folds(k, repeats, n=1000)
    assert corrected <= 0.05 + noise(0.05, 1000)
    assert naive > 2 * corrected


def test_simulated_scores_correlate_as_folds_do():
    import numpy as np

    values = draw(np.random.default_rng(0), 20_000, 1, 5, 2)[:, 0]
    found = np.corrcoef(values.T)[~np.eye(10, dtype=bool)]
    assert found.mean() == pytest.approx(1 / 5, abs=0.01)
    assert values.var() == pytest.approx(1, abs=0.02)


def test_learners_of_the_real_folds_are_equally_good_and_learn_something():
    differences = cross_validated(5, 1, n=1000)
    assert abs(differences.mean()) < 3 * differences.mean(-1).std() / math.sqrt(1000)
    assert differences.std() > 0.05
