"""The race over folds; race_simulation.py has what it saves and what it costs."""

import math

import numpy as np
import pytest
from comparisons import findings
from optimism_simulation import FOLDS
from race_simulation import LARGE, SMALL, World, compared, draw, simulate
from records import STOPPED, record

from foldwise.files.race import FoldDecision, digest_record
from foldwise.files.verdict import Criteria
from foldwise.selection.image_scores import RepeatScores
from foldwise.selection.pairs import compare_pairs
from foldwise.selection.race import LUCK, decide_folds, decide_race, half_width, training_luck

CRITERIA = Criteria(metric="accuracy", top_k=2, confidence=0.95, worth=0.01)


def race(accuracies, **changes):
    """Return the standing of each architecture; 300 images, None: its first fold diverged."""
    records = [
        record(name, accuracy=score, n_validation=300, epochs=200)  # curves that end flat
        for name, score in accuracies.items()
    ]
    standings = decide_race(records, CRITERIA.model_copy(update=changes))
    assert [standing.model for standing in standings] == list(accuracies)
    return {standing.model: standing for standing in standings}


def test_shortfall_is_as_certain_as_its_images_and_two_trainings_allow():
    """The last images are wrong, so b misses 30 that a has: the variance is that of McNemar."""
    b = race({"a": 0.9, "b": 0.8})["b"]
    images = (30 + 1 - 30**2 / 300) / 300**2
    half = 1.959964 * math.sqrt(images + 2 * LUCK**2)
    assert (b.goes_on, b.score, b.shortfall) == (False, 0.8, 0.1)
    assert b.least == pytest.approx(0.1 - half)
    assert b.least == pytest.approx(0.06409, abs=1e-5)
    for words in ("0.8000", f"{b.least:.4f}", "than a", "95 %"):
        assert words in b.reason


@pytest.mark.parametrize(("epochs", "luck"), [(1, (0.9 - 1 / 4) / 2), (3, 0.15), (300, LUCK)])
def test_few_steps_leave_much_to_luck(epochs, luck):
    """A training whose last epoch still changes much may end anywhere: nobody is stopped for it."""
    early = record("a", accuracy=0.9, n_validation=300, epochs=epochs, n_classes=4)
    assert training_luck(early) == pytest.approx(luck)
    late = record("b", accuracy=0.6, n_validation=300, epochs=300, n_classes=4)
    least = decide_race([early, late], CRITERIA)[1].least
    images = (90 + 1 - 90**2 / 300) / 300**2
    half = 1.959964 * math.sqrt(images + luck**2 + LUCK**2)
    assert least == pytest.approx(0.3 - half, abs=1e-6)


def test_architecture_that_may_be_within_worth_goes_on():
    least = race({"a": 0.9, "b": 0.85})["b"].least
    assert 0 < least < 0.05
    for worth, goes_on in ((least, True), (least - 1e-9, False)):
        assert race({"a": 0.9, "b": 0.85}, worth=worth)["b"].goes_on is goes_on


@pytest.mark.parametrize("confidence", [0.9, 0.9999])
def test_more_confidence_stops_less(confidence):
    assert race({"a": 0.9, "b": 0.85}, confidence=confidence)["b"].goes_on is (confidence > 0.99)


@pytest.mark.parametrize("score", [0.0, 0.9, 1.0])
@pytest.mark.parametrize("names", ["a", "abc"])
def test_best_scores_and_a_single_candidate_go_on(names, score):
    for standing in race(dict.fromkeys(names, score), worth=0.0).values():
        assert (standing.goes_on, standing.shortfall, standing.reason) == (True, 0, "")


def test_diverged_architecture_is_stopped_and_stops_no_other():
    standings = race({"a": None, "b": 0.9, "c": None})
    assert [name for name, standing in standings.items() if standing.goes_on] == ["b"]
    assert (standings["a"].score, standings["a"].least) == (None, None)
    assert "diverged" in standings["a"].reason
    assert not any(standing.goes_on for standing in race({"a": None, "b": None}).values())


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "top_k"])
def test_order_changes_nothing(metric):
    scores = {"a": 0.9, "b": 0.8, "c": 0.9, "d": None, "e": 0.5}
    assert race(scores, metric=metric) == race(dict(reversed(scores.items())), metric=metric)


def test_top_k_decides_by_the_ranks():
    """Mistakes come second two times of three, and so less separates the two."""
    plain, top = (race({"a": 0.9, "b": 0.5}, metric=m)["b"] for m in ("accuracy", "top_k"))
    assert top.score > plain.score
    assert top.shortfall < plain.shortfall


def test_luck_alone_remains_with_endless_images():
    assert half_width(0.0, 0.95) == pytest.approx(1.959964 * math.sqrt(2) * LUCK)


@pytest.mark.parametrize(
    ("size", "n", "most"),
    [
        ({"images": 5000, "training": 0.0035}, 25, 0.75),
        pytest.param(LARGE, 200, 0.65, marks=pytest.mark.slow),
    ],
)
def test_race_saves_folds_and_costs_no_accuracy(size, n, most):
    six = simulate(World(6, 0.02, **size), n)
    assert 0.4 < six.trained < most
    assert six.stopped <= 0.03
    assert abs(six.best_mean) <= 0.0002  # .02 points
    assert six.rule <= 0.0002


def test_equal_architectures_are_still_called_different_in_at_most_5_percent():
    equal = simulate(World(6, 0, **SMALL), 30)
    assert equal.trained > 0.9
    assert equal.different <= 0.05


@pytest.mark.parametrize("n_unseen", [0, 4])
def test_simulation_compares_as_compare_pairs_does(n_unseen):
    _, right = draw(np.random.default_rng(0), World(3, 0.02, **SMALL))
    weights, folds = np.full(1500, 1 / 1500), right.reshape(FOLDS, -1, 3).mean(axis=1)
    order = np.argsort(-folds.mean(axis=0)).tolist()
    pairs = compare_pairs(
        {str(a): [folds[:, a].tolist()] for a in order},
        CRITERIA,
        resplit=True,
        images={str(a): [RepeatScores(weights, right[:, a])] for a in order},
        n_before=n_unseen,
    )
    result = compared(right, n_unseen)
    for pair in pairs:
        assert result[int(pair.first), int(pair.second)] == pytest.approx(
            (pair.expected_shortfall, pair.p_holm)
        )


def test_decisions_train_keep_the_first_fold_and_leave_out():
    """A fold that trains gets the same decision with a race and without, so it trains only once."""
    records = [record("a", accuracy=0.9), record("b", accuracy=0.1)]
    runs = [(model, repeat, fold) for model in "abc" for repeat in (0, 1) for fold in (0, 1)]
    decisions = decide_folds(runs, [*records, None], decide_race(records, CRITERIA))
    assert list(decisions) == runs
    assert decisions["a", 0, 0] == FoldDecision(trained=digest_record(records[0]))
    assert decisions["b", 0, 0] == FoldDecision(trained=digest_record(records[1]))
    left_out = [run for run, decision in decisions.items() if decision.first == records[1]]
    assert left_out == [("b", 0, 1), ("b", 1, 0), ("b", 1, 1)]
    assert "than a" in decisions["b", 1, 1].reason
    others = [*decide_folds(runs, [None] * 3, []).values()]
    goes_on = [decisions["a", 0, 1], decisions["c", 0, 0]]
    assert all(decision == FoldDecision() for decision in [*goes_on, *others])


def test_what_a_race_stopped_is_shown_and_counted_but_not_compared():
    """Another order of params.yaml changes nothing."""
    scores = {"c": [[0.5, STOPPED, STOPPED]], "a": [[0.9, 0.92, 0.9]], "b": [[0.88, 0.9, 0.9]]}
    result = findings(scores)
    comparison, text = result.comparison, result.verdict.text
    assert [a.name for a in comparison.architectures] == ["a", "b", "c"]
    (stopped,) = comparison.stopped
    assert (stopped.scores, stopped.first_score, stopped.cost) == (None, 0.5, None)
    assert stopped.diagnosis.evidence == STOPPED
    assert {contender.name for contender in result.verdict.contenders} == {"a", "b"}
    assert (len(comparison.pairs), comparison.n_tests) == (1, 3)
    (pair,) = findings({name: scores[name] for name in "ab"}).comparison.pairs
    assert comparison.pairs[0].p_holm == pytest.approx(min(1, 3 * pair.p))
    assert "because c was stopped after the first fold" in text
    alone = findings({name: scores[name] for name in "ca"}).verdict.text
    assert "c was stopped after the first fold." in alone
    assert "3 pairs" in text
    assert "diverged" not in text
    assert not comparison.diverged
    assert not [step for step in result.verdict.next if "diverged" in step]
