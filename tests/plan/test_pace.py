import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from synthetic import PARAMS

from foldwise.data.folds import training_steps
from foldwise.files.forecast import MINUTE
from foldwise.files.params import CompareSection, Params, TrainSection
from foldwise.files.tuning import N_RATES, n_tuning_steps
from foldwise.plan.forecast import (
    LONG_SECONDS,
    START_SECONDS,
    Throughput,
    forecast_lines,
    forecast_runs,
    total_line,
)

SECTION = TrainSection(
    epochs=10, batch_size=60, learning_rate="auto", weight_decay=0.05, warmup=0.25
)
COMPARE = yaml.safe_load(PARAMS)["compare"]
SPEED = st.floats(0.1, 1e6)
EPOCHS = st.integers(1, 100)
FOLDS = st.integers(2, 20)


@given(SPEED, SPEED, st.integers(2, 10**6), FOLDS, EPOCHS)
def test_a_fold_takes_its_steps_its_evaluations_and_its_start(train, look, n, k, epochs):
    """Evaluated are the validation images, and as many of those that train, in each epoch."""
    expected = START_SECONDS + epochs * (n * (k - 1) / k / train + 2 * n / k / look)
    assert Throughput({1: train}, look).fold_seconds(n, k, epochs) == pytest.approx(expected)


@given(SPEED, SPEED, st.integers(2, 10), st.integers(2, 10))
def test_what_thaws_counts_from_its_epoch_on(before, after, start, epochs):
    pace = Throughput({1: before, start: after}, 1e9)
    seconds = [pace.fold_seconds(1000, 2, one) for one in (epochs - 1, epochs)]
    speed = after if epochs >= start else before
    assert seconds[1] - seconds[0] == pytest.approx(500 / speed, rel=1e-3, abs=1e-5)


def test_the_part_that_never_trains_runs_once_for_all_folds():
    pace = Throughput({1: 10.0}, 10.0, extraction=100.0, passes=5)
    assert pace.extract_seconds(1000) == START_SECONDS + 50
    assert Throughput({1: 10.0}, 10.0).extract_seconds(1000) == 0


@given(SPEED, SPEED, st.integers(2, 10**6), FOLDS, EPOCHS)
def test_tuning_takes_its_share_of_the_folds(train, look, n, k, epochs):
    pace, untuned = (Throughput({1: train}, look, tunes=tunes) for tunes in (True, False))
    assert untuned.tune_seconds(n, k, epochs, 64) == 0
    fold_steps = training_steps(n - n // k, epochs, 64)
    steps = n_tuning_steps(fold_steps, k)
    assert steps <= min(fold_steps, max(64, 0.2 * k * fold_steps / N_RATES * 2))
    assert pace.tune_seconds(n, k, epochs, 64) >= START_SECONDS + N_RATES * n / k / look


def params_of(models, repeats=(0, 2), folds=(0, 1), **compare):
    """Return the parameters of a comparison in which the first model is under test."""
    return Params.model_construct(
        model=next(iter(models)),
        candidates=sorted(models),
        repeats=list(repeats),
        folds=list(folds),
        train=SECTION,
        compare=CompareSection(**COMPARE | compare),
    )


@pytest.fixture
def forecast():
    paces = {
        "quick": Throughput({1: 2000.0}, 1e9),
        "slow_one": Throughput({1: 10.0}, 1e9, 100.0, 5),
    }
    return forecast_runs(params_of(paces), paces, 1200)


def test_every_run_of_the_plan_is_foreseen_in_its_order(forecast):
    places = [(run.model, run.repeat, run.fold) for run in forecast.runs]
    assert places[:3] == [("quick", 0, 0), ("quick", 0, 1), ("quick", 2, 0)]
    assert len(places) == 8
    assert forecast.extract_seconds == {"quick": 0.0, "slow_one": 60 + START_SECONDS}
    assert forecast.of("quick") == pytest.approx(4 * (START_SECONDS + 3))


def test_in_a_race_the_first_folds_of_all_come_first():
    """Else the bar of the last first fold would say that next to nothing follows."""
    paces = {name: Throughput({1: 100.0}, 1e9) for name in "cab"}
    forecast = forecast_runs(params_of(paces, [1], race=True), paces, 1000)
    assert [(run.model, run.fold) for run in forecast.runs] == [
        *(("c", 0), ("a", 0), ("b", 0)),
        *(("c", 1), ("a", 1), ("b", 1)),
    ]
    fold = forecast.runs[0].seconds
    assert forecast.after("b", 1, 0) == pytest.approx(3 * fold)
    assert forecast.after("b", 1, 1) == 0


def test_the_table_is_sorted_from_the_slowest_down(forecast):
    slow, quick = list(forecast_lines(forecast))[:2]
    assert slow.startswith("slow_one  about 41 min (4 folds of 10 min, and 1 min 2 s once")
    assert quick == "quick     about 22 s (4 folds of 6 s)"
    assert "2 architectures × 4 folds, about 42 min in all" in total_line(forecast, races=False)
    assert "4 folds, at most 42 min in all" in total_line(forecast, races=True)


def test_only_a_long_comparison_says_what_makes_it_shorter(forecast):
    assert forecast.seconds > LONG_SECONDS == 30 * MINUTE
    proportion, without = list(forecast_lines(forecast))[2:]
    assert "train.epochs" in proportion
    assert "prepare.limit" in proportion
    assert without == "without slow_one: about 22 s"
    quick = [run for run in forecast.runs if run.model == "quick"]
    assert len(list(forecast_lines(forecast.model_copy(update={"runs": quick})))) == 1


@given(st.lists(SPEED, min_size=1, max_size=5))
def test_the_slowest_comes_first(speeds):
    throughputs = {f"n{place}": Throughput({1: speed}, 1e9) for place, speed in enumerate(speeds)}
    forecast = forecast_runs(params_of(throughputs, [0]), throughputs, 1000)
    lines = list(forecast_lines(forecast))[: len(speeds)]
    seconds = [forecast.of(line.split()[0]) for line in lines]
    assert seconds == sorted(seconds, reverse=True)
