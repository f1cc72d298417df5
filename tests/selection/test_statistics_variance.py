from statistics import fmean, variance

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldwise.selection.statistics import variance_parts

RUNS = st.tuples(st.integers(2, 5), st.integers(2, 6)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(0, 100).map(float), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)


@given(RUNS)
def test_parts_add_up_to_the_variance_of_all_scores(runs):
    found = variance_parts(runs)
    total = variance([score for row in runs for score in row])
    assert found.fold + found.initialisation == pytest.approx(total, abs=1e-9)
    assert min(found.fold, found.initialisation) >= 0


@given(RUNS)
def test_initialisation_is_the_mean_square_within_folds_of_an_analysis_of_variance(runs):
    table = np.array(runs)  # (repeats, k)
    r, k = table.shape
    within = ((table - table.mean(0)) ** 2).sum() / (k * (r - 1))
    between = r * table.mean(0).var(ddof=1)
    found = variance_parts(runs)
    if between >= within:
        assert found.initialisation == pytest.approx(within, abs=1e-9)
        # the component of the folds, (between − within) / r, as far as it is in this variance
        component = (between - within) / r
        assert found.fold == pytest.approx(component * r * (k - 1) / (k * r - 1), abs=1e-9)
    else:
        assert found.fold == pytest.approx(0, abs=1e-9)


def test_equal_repeats_have_no_part_of_the_initial_weights():
    found = variance_parts([[1, 2, 4], [1, 2, 4]])
    assert (found.initialisation, found.fold) == (0, variance([1, 2, 4] * 2))


def test_equal_folds_have_no_part_of_the_folds():
    found = variance_parts([[1, 1, 1], [2, 2, 2]])
    assert found.fold == 0


def test_single_repeat_cannot_be_split():
    assert variance_parts([[1, 2, 4]]) is None


def test_known_parts_are_found():
    rng = np.random.default_rng(0)
    found = [
        variance_parts((rng.normal(0, 2, 20) + rng.normal(0, 1, (4, 20))).tolist())
        for _ in range(300)
    ]
    assert fmean(one.fold for one in found) == pytest.approx(4, rel=0.1)
    assert fmean(one.initialisation for one in found) == pytest.approx(1, rel=0.05)
