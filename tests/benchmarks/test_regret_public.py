from itertools import combinations
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from benchmarks.regret.public import EndResults, mean_regret, race, read_curves, read_end_results

CURVES = Path(__file__).parents[3] / "shared" / "regret"
here = pytest.mark.skipif(not CURVES.is_dir(), reason="the public curves are not beside the clone")


@pytest.mark.parametrize("k", [1, 3, 6])
@pytest.mark.parametrize("scores", [[1, 5, 2, 6, 3, 4], [1, 1, 2, 2, 2, 0], [0] * 6])
def test_mean_regret_is_that_over_all_sets(k, scores):
    final, regrets = [0.3, 0.9, 0.5, 0.4, 0.8, 0.1], []
    for chosen in combinations(range(6), k):
        best = max(scores[i] for i in chosen)
        picks = [final[i] for i in chosen if scores[i] == best]
        regrets.append(max(final[i] for i in chosen) - fmean(picks))
    result = mean_regret(np.array(scores, float), np.array(final), k)
    assert result == pytest.approx(100 * fmean(regrets))


def test_race_stops_after_the_first_seed_what_is_far_behind():
    """All three networks are candidates; one is 10 points behind, two are equal."""
    short = np.array([[0.7, 0.7, 0.6]] * 3)
    assert race(EndResults(short, short[0], short[0]), 3) == pytest.approx((0, 7 / 9))


@here
def test_regret_on_public_curves():
    accuracy, sizes = read_curves(CURVES / "naap.csv")
    assert mean_regret(accuracy[:, 2], accuracy[:, -1], 3) == pytest.approx(0.675, abs=0.001)
    assert mean_regret(sizes, accuracy[:, -1], 3) < 1
    results = read_end_results(CURVES)
    assert results.short.shape == (3, 117)
    mean = mean_regret(results.short.mean(axis=0), results.final, 3)
    assert mean == pytest.approx(0.018, abs=0.0005)
