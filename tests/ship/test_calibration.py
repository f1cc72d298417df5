"""Temperature, prediction sets and the risk–coverage curve."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from foldwise.engine.temperature import fit_temperature
from foldwise.files.final import read_choice
from foldwise.ship.calibration import (
    as_logits,
    calibrate,
    conformal_threshold,
    describe,
    prediction_sets,
    risk_coverage,
    supported_temperature,
)


def draw(n, n_classes=5, scale=2.0, seed=0):
    """Return logits whose softmax is the true distribution of the labels."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=scale, size=(n, n_classes))
    probabilities = softmax(logits, axis=1)
    labels = (rng.random(n)[:, None] > probabilities.cumsum(axis=1)).sum(axis=1)
    return logits.astype(np.float32), np.minimum(labels, n_classes - 1)


@pytest.mark.parametrize("factor", [0.25, 1.0, 4.0])
def test_the_temperature_undoes_a_scale_of_the_logits(factor):
    logits, labels = draw(20_000)
    assert fit_temperature(logits * factor, labels) == pytest.approx(factor, rel=0.03)


@pytest.mark.parametrize("factor", [0.25, 4.0])
def test_calibration_halves_the_error(factor):
    logits, labels = draw(4_000)
    temperature = fit_temperature(logits * factor, labels)
    before, after = (
        describe(softmax(logits.astype(float) * factor / t, axis=1), labels)
        for t in (1.0, temperature)
    )
    assert after.calibration_error < before.calibration_error / 2
    assert after.log_loss < before.log_loss


def test_logits_without_a_mistake_have_a_temperature():
    logits = np.eye(3, dtype=np.float32)[[0, 1, 2]] * 9
    assert 0 < fit_temperature(logits, np.arange(3)) < 1


@pytest.mark.parametrize("n", [1, 20, 72, 1000])
@pytest.mark.parametrize("scale", [1, 3, 10])
def test_images_that_are_all_right_support_no_certainty(n, scale):
    logits, labels = np.random.default_rng(n).random((n, 4), np.float32), np.arange(n) % 4
    logits[np.arange(n), labels] += 2
    logits *= scale
    temperature = supported_temperature(logits, labels)
    confidence = softmax(logits.astype(float) / temperature, axis=1).max(axis=1).mean()
    assert confidence == pytest.approx((n + 1) / (n + 2), abs=1e-6)


def test_with_a_mistake_the_temperature_is_that_of_the_log_loss():
    logits, labels = draw(500)
    assert supported_temperature(logits, labels) == fit_temperature(logits, labels)


@given(st.integers(1, 60), st.floats(0.01, 0.99))
def test_the_threshold_is_the_quantile_of_split_conformal_prediction(n, coverage):
    """As numpy gives it, at the level (n + 1) · coverage / n of the scores 1 − p."""
    of_true = np.random.default_rng(n).random(n)
    threshold = conformal_threshold(of_true, coverage)
    level = math.ceil((n + 1) * coverage) / n
    if level > 1:
        assert threshold == 0
    else:
        expected = np.quantile(1 - of_true, level, method="inverted_cdf")
        assert 1 - threshold == pytest.approx(expected)


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_sets_of_new_images_hold_the_true_class_as_often_as_was_asked(coverage):
    shares = []
    for seed in range(40):
        logits, labels = draw(600, scale=1.0, seed=seed)
        probabilities = softmax(logits.astype(float), axis=1)
        threshold = conformal_threshold(probabilities[np.arange(300), labels[:300]], coverage)
        sets = prediction_sets(probabilities[300:], threshold)
        shares.append(sets[np.arange(300), labels[300:]].mean())
    assert np.mean(shares) == pytest.approx(coverage, abs=0.02)


def test_probabilities_come_back_from_their_logits_and_zero_is_finite():
    probabilities = np.array([[0.7, 0.3, 0.0], [1.0, 0.0, 0.0]])
    logits = as_logits(probabilities)
    assert np.isfinite(logits).all()
    assert softmax(logits, axis=1) == pytest.approx(probabilities)


def test_a_set_is_never_empty():
    probabilities = np.array([[0.6, 0.4], [0.5, 0.5]])
    assert prediction_sets(probabilities, 0.9).tolist() == [[True, False], [True, False]]


def test_the_curve_ends_at_the_accuracy_of_all_images():
    logits, labels = draw(500)
    probabilities = softmax(logits.astype(float), axis=1)
    points = risk_coverage(probabilities, labels)
    assert points[-1].share == 1
    assert points[-1].accuracy == pytest.approx((probabilities.argmax(axis=1) == labels).mean())
    assert points[0].accuracy > points[-1].accuracy
    half = np.argsort(-probabilities.max(axis=1))[:250]
    by_hand = (probabilities.argmax(axis=1) == labels)[half].mean()
    (at_half,) = [point.accuracy for point in points if point.share == 0.5]
    assert at_half == pytest.approx(by_hand)


def calibrated(shipped, n_members, n_repeats):
    """Calibrate on networks with errors of their own; return the record, and other such networks.

    Returns:
        The record, (members, n, n_classes) logits of the members for new images, and their labels.
    """
    logits, labels = draw(8_000)
    n_networks = n_repeats + n_members
    errors = np.random.default_rng(1).normal(scale=2.0, size=(n_networks, *logits.shape))
    networks, half = (logits + errors).astype(np.float32), len(labels) // 2
    choice = read_choice(shipped / "choice").model_copy(update={"members": n_members})
    record = calibrate(choice, networks[:n_repeats, :half], labels[:half])
    return record, networks[n_repeats:, half:], labels[half:]


@pytest.mark.parametrize(
    ("n_members", "n_repeats", "covered"), [(1, 1, 0.9), (1, 3, 0.9), (3, 3, 0.9), (3, 1, 0.98)]
)
def test_sets_of_the_mean_of_members_cover_what_was_asked(shipped, n_members, n_repeats, covered):
    """With fewer repeats than members they cover more."""
    record, members, labels = calibrated(shipped, n_members, n_repeats)
    settings = record.calibrated
    assert record.n_networks == min(n_members, n_repeats)
    probabilities = softmax(members.astype(float) / settings.temperature, axis=2).mean(axis=0)
    sets = prediction_sets(probabilities, settings.threshold)
    assert sets[np.arange(len(labels)), labels].mean() == pytest.approx(covered, abs=0.02)


def test_the_mean_of_members_is_better_calibrated_without_a_temperature(shipped):
    alone, _, _ = calibrated(shipped, 1, 1)
    record, members, labels = calibrated(shipped, 5, 1)
    assert record.calibrated.temperature == 1
    with_it, without = (
        describe(softmax(members.astype(float) / t, axis=2).mean(axis=0), labels)
        for t in (alone.calibrated.temperature, 1.0)
    )
    assert without.log_loss < with_it.log_loss
    assert without.calibration_error < with_it.calibration_error


def test_the_record_says_how_much_averaging_all_repeats_gains(shipped):
    record, _, _ = calibrated(shipped, 1, 3)
    assert record.accuracy > record.accuracy_of_one + 0.02
