import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from stages.train.score import accuracy, confusion, log_loss


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(1, 40))
def test_scores_equal_those_of_scikit_learn(seed, n_classes, n):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, n_classes)).astype(np.float32) * 3
    labels = rng.integers(0, n_classes, n)
    every = list(range(n_classes))
    shares = np.exp(logits.astype(np.float64))
    shares /= shares.sum(axis=1, keepdims=True)
    predicted = logits.argmax(axis=1)
    assert accuracy(logits, labels) == metrics.accuracy_score(labels, predicted)
    assert log_loss(logits, labels) == pytest.approx(
        metrics.log_loss(labels, shares, labels=every), rel=1e-6
    )
    expected = metrics.confusion_matrix(labels, predicted, labels=every).tolist()
    assert confusion(logits, labels) == expected


def test_huge_logits_do_not_overflow():
    logits = np.array([[1e4, -1e4], [3e38, -3e38]], dtype=np.float32)
    assert log_loss(logits, np.array([0, 0])) == 0
    assert log_loss(logits[:1], np.array([1])) == pytest.approx(2e4)


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_logit_that_is_not_finite_shows(wrong):
    logits = np.array([[0.0, 1.0], [wrong, 0.0]], dtype=np.float32)
    assert not math.isfinite(log_loss(logits, np.array([0, 1])))
