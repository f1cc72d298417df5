"""The learning rate of each architecture, from short trainings inside the first fold."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import sem

from foldwise.data.folds import scoring_images, training_indices
from foldwise.engine.scores import image_losses
from foldwise.engine.temperature import fit_temperature
from foldwise.engine.tuning import choose_rate, compare_rates, next_rate
from foldwise.files.base import read_json
from foldwise.files.fold_record import read_record
from foldwise.files.split import FoldDigests, Normalisation, Split
from foldwise.files.tuning import MIN_STEPS, TriedRate, Tuning, n_tuning_steps
from stages.train import main as train
from stages.tune import main as tune

ROOT = Path(__file__).parents[2]
LOSSES = st.lists(st.one_of(st.none(), st.floats(0, 10)), min_size=3, max_size=3)


@pytest.fixture
def tuned(flags, case):
    """Return a function that tunes a network and returns reports/tuning/NAME.json."""

    def tuned(**changes):
        tune([*tune_flags(flags(**changes), case), "--tried", str(case / "tried.json")])
        return read_json(case / "tried.json", Tuning)

    return tuned


def tune_flags(flags, case):
    pairs = list(zip(flags[::2], flags[1::2], strict=True))
    others = {"--predictions", "--record", "--forecast", "--repeat", "--fold", "--rate"}
    others |= {"--race", "--first"}
    kept = [word for pair in pairs if pair[0] not in others for word in pair]
    return [*kept, "--rate", str(case / "rate.json")]


def rates(losses):
    return [
        TriedRate(learning_rate=0.001 * 4**at, loss=loss, standard_error=0, accuracy=0.5)
        for at, loss in enumerate(losses)
    ]


@given(LOSSES)
def test_the_last_rate_is_next_to_the_best_and_new(losses):
    tried = rates(losses)
    rate = next_rate(tried)
    finite = [math.inf if loss is None else loss for loss in losses]
    best = tried[finite.index(min(finite))].learning_rate
    assert rate in (best / 2, best * 2)
    assert rate not in [t.learning_rate for t in tried]
    if finite[0] > finite[1] < finite[2]:
        assert (rate > best) == (finite[2] < finite[0])


@pytest.mark.parametrize(
    ("losses", "errors", "rate"),
    [
        ([1.0, 1.1, 1.5], [0, 0.2, 0.2], 0.004),  # no worse than luck: the common rate
        ([1.0, 1.1, 1.5], [0, 0.05, 0.2], 0.001),
        ([1.3, 1.1, 1.0], [0.1, 0.05, 0], 0.016),
        ([None, 1.1, 1.0], [0, 0.2, 0], 0.004),
        ([None, None, None], [0, 0, 0], 0.001),
    ],
)
def test_rate_is_the_nearest_to_the_common_one_of_those_as_good_as_the_best(losses, errors, rate):
    tried = [
        t.model_copy(update={"standard_error": error})
        for t, error in zip(rates(losses), errors, strict=True)
    ]
    assert choose_rate(tried, common=0.004) == rate


def test_losses_of_rates_are_paired_by_image():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 50)
    logits = {rate: rng.normal(size=(50, 3)).astype(np.float32) for rate in (0.1, 0.2)}
    logits[0.4] = np.full((50, 3), np.nan, dtype=np.float32)
    low, high, broken = compare_rates(logits, labels)
    temperatures = [fit_temperature(logits[rate], labels) for rate in (0.1, 0.2)]
    losses = [
        image_losses(logits[rate] / np.float32(t), labels)
        for rate, t in zip((0.1, 0.2), temperatures, strict=True)
    ]
    assert [low.loss, high.loss] == pytest.approx([values.mean() for values in losses])
    errors = sorted([low.standard_error, high.standard_error])
    assert errors == pytest.approx([0, sem(losses[0] - losses[1], ddof=0)])
    assert (broken.learning_rate, broken.loss) == (0.4, None)


@pytest.mark.parametrize("factor", [0.1, 5.0])
def test_a_network_that_is_less_sure_is_not_worse(factor):
    """A short training at a low rate is unsure, and one at a high rate too sure."""
    rng = np.random.default_rng(0)
    labels, logits = rng.integers(0, 3, 400), rng.normal(size=(400, 3)).astype(np.float32)
    logits[np.arange(400), labels] += 1
    scaled = logits * np.float32(factor)
    worse = logits + rng.normal(size=(400, 3)).astype(np.float32)
    tried = compare_rates({0.1: scaled, 0.2: logits, 0.4: worse}, labels)
    assert tried[0].loss == pytest.approx(tried[1].loss, abs=1e-4)
    assert image_losses(scaled, labels).mean() > image_losses(worse, labels).mean()
    assert tried[2].loss > tried[1].loss + 0.05


def test_temperature_of_many_images_is_that_of_a_part(monkeypatch):
    rng = np.random.default_rng(0)
    labels = np.sort(rng.integers(0, 3, 4000))  # as in class folders
    logits = rng.normal(size=(4000, 3)).astype(np.float32)
    logits[np.arange(4000), labels] += 1
    (whole,) = compare_rates({0.1: logits * 5}, labels)
    monkeypatch.setattr("foldwise.engine.tuning.MOST_FITTED", 999)
    (part,) = compare_rates({0.1: logits * 5}, labels)
    assert part.loss == pytest.approx(whole.loss, rel=0.01)
    assert part.loss != whole.loss


@pytest.mark.parametrize("k", [2, 3, 5])
def test_images_that_score_train_in_the_first_fold_and_validate_the_next(k):
    folds = np.random.default_rng(0).integers(0, k, 300)
    half = Normalisation(mean=[[0.5]] * k, std=[[0.5]] * k)
    split = Split(folds, half, FoldDigests(train=[""] * k, validation=[""] * k))
    scoring = scoring_images(split, 0, seed=1)
    assert set(folds[scoring]) == {1}
    rest = np.setdiff1d(training_indices(split, 0), scoring)
    assert len(rest) >= (folds != 0).sum() / 2 - 20
    assert k == 2 or len(scoring) == (folds == 1).sum()


def test_short_trainings_are_as_long_as_a_fold_at_most():
    assert n_tuning_steps(180, 5) == 72  # .4 of the 180 steps of a fold
    assert n_tuning_steps(180, 2) == MIN_STEPS
    assert n_tuning_steps(18, 2) == 18
    assert n_tuning_steps(1563, 100) == 1563


def test_a_rate_at_which_nothing_is_learned_is_left(tuned, case):
    tuning = tuned(model="lenet5", epochs=3, learning_rate="auto")
    losses = {t.learning_rate: t.loss for t in tuning.tried}
    assert len(losses) == 4
    assert tuning.learning_rate == json.loads((case / "rate.json").read_text())["learning_rate"]
    assert losses[tuning.learning_rate] <= min(losses.values()) + 0.1
    assert losses[min(losses)] > min(losses.values()) + 0.05  # .0005 is too slow here
    torch.rand(5)
    assert tuned(model="lenet5", epochs=3, learning_rate="auto") == tuning


def test_rates_of_params_are_taken_as_they_are(tuned):
    common = tuned(learning_rate=0.007)
    assert (common.learning_rate, common.tried) == (0.007, [])
    assert "for all" in common.source
    both = tuned(learning_rate=0.007, overrides={"learning_rate": 0.1})
    assert (both.learning_rate, both.tried) == (0.1, [])


def test_a_rate_of_params_needs_no_torch(flags, case):
    words = [*tune_flags(flags(learning_rate=0.007), case), "--tried", str(case / "tried.json")]
    code = "import sys, stages.tune as s; s.main(sys.argv[1:]); sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, check=True)


def test_training_takes_the_tuned_rate(flags, case):
    def record(rate):
        words = flags(learning_rate="auto")
        (case / "rate.json").write_text(json.dumps({"learning_rate": rate}))
        train(words)
        return read_record(case / "one" / "record.json")

    assert record(0.003).curves != record(0.03).curves
