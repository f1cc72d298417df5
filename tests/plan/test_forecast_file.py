import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldwise.core.errors import InputError
from foldwise.files.forecast import (
    Forecast,
    RunForecast,
    format_duration,
    read_forecast,
    write_forecast,
)

SECONDS = st.floats(0, 1e6)


def forecast_of(*seconds, extract=0.0):
    runs = [
        RunForecast(model=model, repeat=0, fold=fold, seconds=one)
        for fold, (model, one) in enumerate(seconds)
    ]
    extracts = {model: extract for model, _ in seconds}
    return Forecast(runs=runs, extract_seconds=extracts, tune_seconds={})


@given(st.lists(st.tuples(st.sampled_from("ab"), SECONDS), min_size=1))
def test_what_follows_a_run_is_all_that_comes_after_it(seconds):
    forecast = forecast_of(*seconds)
    for place, (model, _) in enumerate(seconds):
        after = forecast.after(model, 0, place)
        assert after == pytest.approx(sum(one for _, one in seconds[place + 1 :]))
    assert forecast.after("a", 1, 0) is None  # not planned: nobody knows


@given(st.lists(st.tuples(st.sampled_from("abc"), SECONDS), min_size=1), SECONDS)
def test_architectures_add_up_to_the_whole(seconds, extract):
    forecast = forecast_of(*seconds, extract=extract)
    assert sum(map(forecast.of, forecast.models)) == pytest.approx(forecast.seconds)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (140, "2 min 20 s"),
        (600, "10 min"),
        (719, "12 min"),
        (3599, "1 h 00 min"),
        (3900, "1 h 05 min"),
        (360_000, "100 h 00 min"),
    ],
)
def test_durations_read_as_one_says_them(seconds, words):
    assert format_duration(seconds) == words


def test_what_training_depends_on_is_the_same_whatever_the_clock_says(tmp_path):
    for name, forecast in (("one", forecast_of(("a", 1.0))), ("two", forecast_of(("b", 9.0)))):
        write_forecast(tmp_path / name, forecast)
        assert read_forecast(tmp_path / name / "minutes.json") == forecast
    assert (tmp_path / "one/ready.json").read_bytes() == (tmp_path / "two/ready.json").read_bytes()


def test_a_forecast_that_is_none_is_named(tmp_path):
    with pytest.raises(InputError, match=r"minutes.json is missing; run 'dvc repro'"):
        read_forecast(tmp_path / "minutes.json")
