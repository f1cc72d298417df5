import math
from statistics import fmean

import numpy as np
import pytest
from comparisons import findings
from hypothesis import given
from hypothesis import strategies as st
from records import counts_of, record

from foldwise.selection.image_scores import difference_floor, image_scores, score_floor
from foldwise.selection.metrics import fold_metrics


def folds_of(correct, n_folds=2, n_classes=3):
    """Return records whose images are right where `correct`, classes of unlike sizes."""
    labels = [min(image % 5, n_classes - 1) for image in range(len(correct))]
    predicted = [t if ok else (t + 1) % n_classes for t, ok in zip(labels, correct, strict=True)]
    n = len(correct) // n_folds
    parts = [slice(fold * n, (fold + 1) * n) for fold in range(n_folds)]
    return [
        record("a", 0, fold, fold_counts=counts_of(labels[s], predicted[s], [0.9] * n, n_classes))
        for fold, s in enumerate(parts)
    ]


CORRECT = st.lists(st.booleans(), min_size=40, max_size=40)


@given(CORRECT, st.sampled_from(["accuracy", "balanced_accuracy", "top_k"]))
def test_weighted_mean_over_the_images_is_the_score(correct, metric):
    folds = folds_of(correct)
    (images,) = image_scores(folds, metric, 2)
    scores = [fold_metrics(fold.fold_counts, 2)[metric] for fold in folds]
    assert images.weights.sum() == pytest.approx(1)
    assert images.weights @ images.values == pytest.approx(fmean(scores))


@given(CORRECT)
def test_standard_error_of_an_accuracy_is_that_of_a_binomial_share(correct):
    p, n = fmean(correct), len(correct)
    floor = score_floor(image_scores(folds_of(correct), "accuracy", 1))
    assert floor**2 == pytest.approx(p * (1 - p) / n + 1 / n**2)


@given(CORRECT, CORRECT)
def test_standard_error_of_a_difference_is_that_of_mcnemar(first, second):
    images = [image_scores(folds_of(correct), "accuracy", 1) for correct in (first, second)]
    n = len(first)
    b, c = (
        sum(a > b for a, b in zip(*pair, strict=True))
        for pair in ((first, second), (second, first))
    )
    variance = ((b + 0.5) + (c + 0.5) - (b - c) ** 2 / n) / n**2
    assert difference_floor(*images) == pytest.approx(math.sqrt(variance))


def test_metric_that_is_no_mean_over_images_has_no_floor():
    for metric in ("log_loss", "macro_f1", "calibration_error"):
        images = image_scores(folds_of([True] * 40), metric, 1)
        assert (images, score_floor(images), difference_floor(images, images)) == ([], 0, 0)


def test_repeats_count_their_images_once():
    scores = {"a": [[0.9, 0.9]], "b": [[0.8, 0.8]]}
    once = findings(scores).comparison.pairs[0]
    twice = findings({name: rows * 2 for name, rows in scores.items()}).comparison.pairs[0]
    assert once.std == twice.std == 0
    assert twice.standard_error == pytest.approx(once.standard_error)


def test_two_folds_that_agree_to_the_last_digit_are_not_significant():
    """Four images more in two folds; the plain standard error is 0, and p was 0."""
    (pair,) = findings(
        {"a": [[0.82, 0.82]], "b": [[0.80, 0.80]]}, n_validation=100
    ).comparison.pairs
    assert (pair.std, pair.mean) == (0, pytest.approx(0.02))
    assert pair.standard_error == pytest.approx(math.sqrt(5 - 16 / 200) / 200)
    assert pair.p > 0.3


def test_interval_is_never_narrower_than_the_number_of_images_allows():
    """0.8204 ± 0.0170 from 245 images was reported; 5 folds of 49 images."""
    rows = [[right / 49 for right in (40, 40, 40, 40, 41)]]
    (a,) = findings({"a": rows}, n_validation=49).comparison.architectures
    low, high = a.scores.interval
    binomial = math.sqrt(a.scores.mean * (1 - a.scores.mean) / 245)
    assert (high - low) / 2 >= 2.776 * binomial
    assert np.isclose(a.scores.mean, 201 / 245)
