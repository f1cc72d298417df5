import baycomp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import COLUMNS, PUBLISHED, differences

from foldwise.selection.statistics import Sample, rope_probabilities, sample

CASES = [  # first better, practically equal, second better
    ("sk_rbf_linear", 0.01, (None, 0.431682, None)),
    ("sk_rbf_linear", 0, (0.772577, 0, 0.227423)),
    ("anneal_aode_nbc_percent", 1, (0.954286, 0.045714, 3.02e-7)),
    ("audiology_aode_nbc_percent", 1, (0.081963, 0.908725, 0.009312)),
]


@pytest.mark.parametrize(("name", "rope", "published"), CASES)
def test_published_odds_of_ten_by_ten_folds(name, rope, published):
    worse, equal, better = rope_probabilities(PUBLISHED[name], rope)
    for share, expected in zip((better, equal, worse), published, strict=True):
        digits = min(6e-7, 0.002 * (expected or 1))  # six decimals, or three figures
        assert expected is None or abs(share - expected) <= digits + 1e-15


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("rope", [0, 0.01, 1])
def test_agrees_with_baycomp_on_published_folds(name, rope):
    values = np.array(differences(name))
    expected = baycomp.two_on_single(values, np.zeros(100), rope=rope, runs=10)
    worse, equal, better = rope_probabilities(sample(values.tolist(), 10), rope)
    found = (better, equal, worse) if rope else (better, worse)
    assert found == pytest.approx(expected, abs=1e-9)


@given(
    st.integers(2, 10).flatmap(
        lambda k: st.tuples(
            st.just(k),
            st.integers(1, 4).flatmap(
                lambda r: st.lists(st.integers(-99, 99), min_size=k * r, max_size=k * r)
            ),
        )
    ),
    st.integers(1, 30),
)
def test_agrees_with_baycomp(folds, rope):
    k, values = folds
    if len(set(values)) == 1:
        values[0] += 1
    zeros = np.zeros(len(values))
    expected = baycomp.two_on_single(np.array(values), zeros, rope=rope, runs=len(values) // k)
    worse, equal, better = rope_probabilities(sample(values, k), rope)
    assert (better, equal, worse) == pytest.approx(expected, abs=1e-9)


@given(st.floats(-1, 1), st.floats(0, 1), st.integers(2, 50), st.integers(2, 10), st.floats(0, 1))
def test_odds_add_up_and_mirror(mean, std, n, k, rope):
    found, mirrored = (rope_probabilities(Sample(m, std, n, k), rope) for m in (mean, -mean))
    assert sum(found) == pytest.approx(1, abs=1e-9)
    assert all(0 <= share <= 1 for share in found)
    assert (found[0], found[2]) == (mirrored[2], mirrored[0])


@pytest.mark.parametrize(
    ("mean", "expected"),
    [
        (0, (0, 1, 0)),
        (0.01, (0, 1, 0)),
        (0.03 - 0.02, (0, 1, 0)),
        (0.011, (0, 0, 1)),
        (-0.02, (1, 0, 0)),
    ],
)
def test_without_spread_it_is_sure(mean, expected):
    assert rope_probabilities(Sample(mean, 0.0, 5, 5), 0.01) == expected
