import numpy as np
import pytest
from cleanlab.filter import find_label_issues
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_predict
from sklearn.naive_bayes import GaussianNB

from foldwise.files.fold_record import Predictions
from foldwise.selection.labels import (
    label_table,
    mean_probabilities,
    suspicious_labels,
)


@pytest.fixture(scope="module")
def noisy():
    """Return labels of digits, of which 5 % were made wrong, true labels, and probabilities."""
    images, true = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    wrong = rng.choice(len(true), 90, replace=False)
    labels = true.copy()
    labels[wrong] = (labels[wrong] + rng.integers(1, 10, 90)) % 10
    probabilities = cross_val_predict(
        GaussianNB(var_smoothing=1.0), images, labels, cv=5, method="predict_proba"
    )
    return labels, true, probabilities


def test_the_same_images_as_cleanlab(noisy):
    labels, _, probabilities = noisy
    for subset in (slice(None), slice(0, 500), slice(0, 60)):
        flagged = suspicious_labels(labels[subset], probabilities[subset])
        arguments = {"filter_by": "low_self_confidence", "n_jobs": 1}
        expected = find_label_issues(labels[subset], probabilities[subset], **arguments)
        assert sorted(flagged) == np.flatnonzero(expected).tolist()


def test_wrong_labels_are_told_from_right_ones_better_than_by_cleanlabs_default(noisy):
    labels, true, probabilities = noisy
    default = np.flatnonzero(find_label_issues(labels, probabilities, n_jobs=1))
    ours, theirs = (
        2 * (labels != true)[flagged].sum() / (len(flagged) + 90)  # F1
        for flagged in (suspicious_labels(labels, probabilities), default)
    )
    assert ours > theirs > 0.4


def test_the_lowest_probability_of_the_label_comes_first(noisy):
    labels, _, probabilities = noisy
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
    none = np.empty((0, 0), dtype=np.float32)  # as training writes it
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
