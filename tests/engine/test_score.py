import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from foldwise.core import machine
from foldwise.engine.scores import BINS, accuracy, count_fold, log_loss


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
    found = count_fold(logits, labels, np.arange(n))
    table = np.zeros((n_classes, n_classes), dtype=int)
    for true, guess, count in found.confusion:
        table[true, guess] = count
    expected = metrics.confusion_matrix(labels, predicted, labels=every)
    assert np.array_equal(table, expected)
    assert found.log_loss == pytest.approx(n * log_loss(logits, labels))
    for k in range(1, n_classes if n_classes > 2 else 1):  # of two classes scikit-learn takes none
        top = metrics.top_k_accuracy_score(labels, logits, k=k, labels=every)
        assert sum(found.ranks[:k]) / n == pytest.approx(top)
    assert sum(found.ranks) == n
    by_class = np.argsort(labels, kind="stable")
    ranks = (logits > logits[np.arange(n), labels, None]).sum(axis=1) + 1
    assert np.array_equal(found.labels_by_image, labels[by_class])
    assert np.array_equal(found.ranks_by_image, ranks[by_class])


def test_calibration_counts_each_image_in_the_bin_of_its_confidence():
    shares = np.array([[0.55, 0.45], [0.97, 0.03], [0.02, 0.98], [1.0, 1e-30]])
    found = count_fold(np.log(shares).astype(np.float32), np.array([1, 0, 1, 0]), np.arange(4))
    bins = found.calibration
    assert len(bins.images) == BINS
    assert (bins.images[8], bins.correct[8]) == (1, 0)  # .55 lies in 8/15 .. 9/15
    assert (bins.images[-1], bins.correct[-1]) == (3, 3)  # certainty is in the last bin, too
    assert bins.confidence[8] == pytest.approx(0.55)
    assert bins.confidence[-1] == pytest.approx(0.97 + 0.98 + 1)


def test_the_surest_mistakes_of_the_most_confused_pairs_are_named():
    labels = np.array([0, 0, 0, 0, 0, 1, 2])
    guesses = np.array([1, 1, 1, 1, 2, 1, 0])
    logits = np.zeros((7, 3), dtype=np.float32)
    logits[np.arange(7), guesses] = [1, 4, 2, 3, 1, 1, 1]
    found = count_fold(logits, labels, np.arange(100, 107)).mistakes
    named = [(one.true, one.predicted, one.image) for one in found]
    assert named == [(0, 1, 101), (0, 1, 103), (0, 1, 102), (0, 2, 104), (2, 0, 106)]
    assert found[0].confidence == pytest.approx(np.exp(4) / (np.exp(4) + 2))


def test_of_equal_logits_the_first_leads_in_accuracy_and_in_ranks():
    logits = np.zeros((3, 3), dtype=np.float32)
    assert count_fold(logits, np.array([0, 1, 2]), np.arange(3)).ranks == [1, 1, 1]


def test_huge_logits_do_not_overflow():
    logits = np.array([[1e4, -1e4], [3e38, -3e38]], dtype=np.float32)
    assert log_loss(logits, np.array([0, 0])) == 0
    assert log_loss(logits[:1], np.array([1])) == pytest.approx(2e4)


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_logit_that_is_not_finite_shows(wrong):
    logits = np.array([[0.0, 1.0], [wrong, 0.0]], dtype=np.float32)
    assert not math.isfinite(log_loss(logits, np.array([0, 1])))


def test_memory_does_not_grow_with_copies_of_the_logits(monkeypatch):
    """Of many classes, one copy of all logits in float64 would be twice as large as they are."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2000, 200)).astype(np.float32)
    labels, index = rng.integers(0, 200, 2000), np.arange(2000)
    expected = count_fold(logits, labels, index)
    monkeypatch.setattr(machine, "CHUNK_BYTES", 2**14)
    tracemalloc.start()
    found = count_fold(logits, labels, index)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == expected
    assert peak < 1.5 * logits.nbytes
