import numpy as np
import pytest
from cleanlab.count import compute_confident_joint
from cleanlab.filter import find_label_issues

from foldwise.files.fold_record import Predictions
from foldwise.selection.labels import (
    count_wrong,
    label_table,
    mean_probabilities,
    suspicious_labels,
)

SIGNALS = [1.5, 2, 3, 4, 6]  # of the true class, in standard deviations of the logits


@pytest.fixture
def noisy():
    """Return wrong and true labels, and probabilities of networks that are right at times."""

    def noisy(signal=3):
        rng = np.random.default_rng(0)
        true = rng.integers(0, 5, 2000)
        wrong = rng.choice(2000, 100, replace=False)
        labels = true.copy()
        labels[wrong] = (labels[wrong] + rng.integers(1, 5, 100)) % 5
        logits = rng.normal(size=(2000, 5))
        logits[np.arange(2000), true] += signal
        powers = np.exp(logits)
        return labels, true, powers / powers.sum(axis=1, keepdims=True)

    return noisy


@pytest.mark.parametrize("signal", SIGNALS)
def test_both_numbers_are_cleanlabs(noisy, signal):
    labels, _, probabilities = noisy(signal)
    surely, as_clear = count_wrong(labels, probabilities)
    sure = find_label_issues(labels, probabilities, filter_by="confident_learning", n_jobs=1)
    joint = compute_confident_joint(labels, probabilities, calibrate=True)
    assert surely == sure.sum()
    assert as_clear == pytest.approx(joint.sum() - joint.trace(), abs=5)  # cleanlab rounds cells


@pytest.mark.parametrize("signal", SIGNALS)
def test_wrong_labels_are_told_from_right_ones_as_well_as_by_cleanlabs_default(noisy, signal):
    labels, true, probabilities = noisy(signal)
    default = np.flatnonzero(find_label_issues(labels, probabilities, n_jobs=1))
    ours, theirs = (
        2 * (labels != true)[flagged].sum() / (len(flagged) + 100)  # F1
        for flagged in (suspicious_labels(labels, probabilities), default)
    )
    assert ours > theirs - 0.01


def test_the_lowest_probability_of_the_label_comes_first(noisy):
    labels, _, probabilities = noisy()
    flagged = suspicious_labels(labels, probabilities)
    assert (np.diff(probabilities[flagged, labels[flagged]]) >= 0).all()


def test_right_labels_missing_classes_and_unknown_images_are_not_flagged():
    labels = np.array([0, 0, 1, 1, 1])
    probabilities = np.array(
        [[0.9, 0.1, 0], [0.8, 0.2, 0], [0.1, 0.9, 0], [0.2, 0.8, 0], [0, 0, 0]]
    )
    assert suspicious_labels(labels, probabilities).tolist() == []
    assert suspicious_labels(labels, np.zeros((5, 3))).tolist() == []


def test_probabilities_are_means_over_runs_without_those_that_diverged():
    zeros = np.zeros((2, 2), dtype=np.float32)
    strong = np.array([[0, 100]], dtype=np.float32)
    none = np.empty((0, 2), dtype=np.float32)
    runs = [
        Predictions(np.array([0, 2]), zeros, zeros),
        Predictions(np.array([2]), strong, strong),
        Predictions(np.array([], dtype=np.int64), none, none),
    ]
    expected = [[0.5, 0.5], [0, 0], [0.25, 0.75]]
    np.testing.assert_allclose(mean_probabilities(runs, 3, 2), expected)


def test_table_names_file_classes_and_probabilities():
    probabilities = np.array([[0.2, 0.8], [0.9, 0.1]])
    table = label_table(
        np.array([0]), np.array([0, 0]), probabilities, ["a.png", "b.png"], ["cat", "dog"]
    )
    assert table.to_numpy().tolist() == [["a.png", "cat", "dog", 0.8, 0.2]]
