"""The corrected score of the chosen architecture; optimism_simulation.py has the whole table."""

import numpy as np
import pytest
from comparisons import findings
from optimism_simulation import World, errors

from foldwise.selection.corrected_score import rule_of
from foldwise.selection.decision import decide
from foldwise.selection.image_scores import RepeatScores
from foldwise.selection.optimism import optimism, units_of_images

CLOSE = {
    "a": [[0.90, 0.91, 0.89, 0.90, 0.90]],
    "b": [[0.91, 0.90, 0.90, 0.89, 0.91]],
    "c": [[0.89, 0.90, 0.91, 0.90, 0.90]],
}


@pytest.mark.parametrize("training", [0.0, pytest.param(0.005, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("spread", "allowed"), [(0.0, 0.13), pytest.param(0.01, 0.25, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(
    ("m", "n"), [(6, 60), *(pytest.param(m, 400, marks=pytest.mark.slow) for m in (3, 6, 20))]
)
def test_corrected_score_is_nearly_unbiased(m, n, spread, allowed, training):
    result = errors(World(m, spread, training=training), n)
    assert result.plain > 0.2  # the limits are .1 and .25 points, and .03 of chance
    assert abs(result.corrected) <= allowed
    assert result.covered >= 0.95


def test_equal_bootstrap_in_closed_form():
    """One of two architectures is right on each image: the winner inside loses outside."""
    images = {
        "a": [RepeatScores(np.full(2, 0.5), np.array([1.0, 0.0]))],
        "b": [RepeatScores(np.full(2, 0.5), np.array([0.0, 1.0]))],
    }
    result = optimism(units_of_images(images, resplit=True), lambda s: s.argmax(1), 0.95)
    # Each sample holds one image, and leaves the other out; on that, a is right in half of them.
    assert result == (pytest.approx(0.5, abs=0.06), 0.0)


@pytest.mark.parametrize(("confidence", "z"), [(0.95, 1.96), (0.5, 0.674)])
def test_bootstrap_interval_of_one_choice_is_that_of_a_mean(confidence, z):
    """Of 400 images, 80 % are right: the standard error of the accuracy is .02."""
    scores = RepeatScores(np.full(400, 1 / 400), np.repeat([1.0, 0.0], [320, 80]))
    units = units_of_images({"a": [scores]}, resplit=True)
    found = optimism(units, lambda s: s.argmax(1), confidence, n_samples=40_000)
    assert found.half_width == pytest.approx(0.02 * z, rel=0.04)


@pytest.mark.parametrize(
    ("metric", "method"),
    [
        ("accuracy", "images and folds"),
        ("balanced_accuracy", "images and folds"),
        ("log_loss", "folds"),
    ],
)
@pytest.mark.parametrize("resplit", [True, False])
def test_correction_never_flatters_and_order_changes_nothing(metric, method, resplit):
    scores = {name: [rows[0], rows[0][::-1]] for name, rows in CLOSE.items()}
    settings = {"section": {"metric": metric}, "resplit": resplit, "n_validation": 100}
    verdict = findings(scores, **settings).verdict
    score, mean = verdict.score, verdict.contenders[0].mean
    assert score.method == method
    sign = -1 if metric == "log_loss" else 1
    assert score.value == pytest.approx(mean - sign * score.optimism)
    assert 0 < score.optimism < 0.05
    reordered = findings({name: scores[name] for name in "cab"}, **settings).verdict
    assert reordered.score == score


def test_choice_that_no_sample_changes_is_not_corrected():
    """Not even by the chance of the bootstrap: its own mean varies with the units left out."""
    score = findings({"a": CLOSE["a"], "b": [[x - 0.1 for x in CLOSE["a"][0]]]}).verdict.score
    assert (score.method, score.optimism) == ("images and folds", 0)


def test_single_architecture_needs_no_correction():
    verdict = findings({"a": CLOSE["a"], "b": [[None] * 5]}).verdict
    assert (verdict.score.method, verdict.score.optimism) == ("none", 0)


@pytest.mark.parametrize("cost", [pytest.param("macs", marks=pytest.mark.slow), "latency"])
def test_repeated_choice_is_the_rule_of_the_verdict(cost):
    """The rule for many samples, applied to the means themselves, chooses as `decide` does."""
    rng = np.random.default_rng(3)
    for _ in range(4):
        scores = {name: [(0.9 + 0.01 * rng.standard_normal(5)).tolist()] for name in "abcd"}
        cards = {
            name: {"macs": int(rng.integers(1, 3)), "latency": rng.uniform(0.001, 0.0012)}
            for name in scores
        }
        comparison = findings(scores, cards=cards, section={"cost": cost}).comparison
        decision = decide(comparison)
        means = np.array([[contender.mean for contender in decision.contenders]])
        column = rule_of(decision).choose(means)[0]
        assert decision.contenders[column].name == decision.chosen.name
