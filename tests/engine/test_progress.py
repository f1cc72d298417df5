from types import SimpleNamespace

import pytest

from foldwise.files.fold_record import Epoch, read_record
from foldwise.files.forecast import Forecast, RunForecast, write_forecast
from foldwise.run import progress
from foldwise.run.progress import FoldProgressBar
from stages.train import main


def point(epoch):
    losses, accuracies = dict.fromkeys(("train_loss", "validation_loss"), 1.0), (0.5, 0.25)
    train, validation = accuracies
    return Epoch(epoch=epoch, train_accuracy=train, validation_accuracy=validation, **losses)


@pytest.fixture
def log(monkeypatch, capsys):
    """Return the lines of four epochs of 30 seconds each."""

    def log(following):
        clock = SimpleNamespace(now=0.0)
        monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: clock.now))
        with FoldProgressBar("net fold 0 (of 0 to 4)", 400, 4, following) as bar:
            for epoch in range(1, 5):
                clock.now += 30
                bar.trained(100, 1.5)
                bar.evaluated(point(epoch))
        return capsys.readouterr().err.splitlines()

    return log


def test_each_epoch_says_how_long_the_fold_and_what_follows_still_take(log):
    lines = log(following=150.0)
    said = "loss 1.500, validation accuracy 0.250"
    follows = "at most 2 min 30 s of training follow"
    assert lines[0] == f"net fold 0 (of 0 to 4): epoch 1 of 4, {said}; 1 min 30 s left; {follows}"
    assert lines[2] == f"net fold 0 (of 0 to 4): epoch 3 of 4, {said}; 30 s left; {follows}"
    assert lines[3] == f"net fold 0 (of 0 to 4): epoch 4 of 4, {said}; {follows}"


@pytest.mark.parametrize("following", [None, 0.0])
def test_nothing_is_said_of_what_does_not_follow_or_nobody_knows(log, following):
    lines = log(following)
    assert lines[0].endswith("validation accuracy 0.250; 1 min 30 s left")
    assert lines[3].endswith("validation accuracy 0.250")


def test_a_forecast_changes_what_is_shown_and_nothing_else(case, flags, capsys):
    runs = [RunForecast(model="lenet5", repeat=0, fold=fold, seconds=70) for fold in range(3)]
    write_forecast(case / "forecast", Forecast(runs=runs, extract_seconds={}, tune_seconds={}))
    main([*flags(name="one", epochs=1), "--forecast", str(case / "forecast" / "minutes.json")])
    assert "; at most 2 min 20 s of training follow\n" in capsys.readouterr().err
    main([*flags(name="two", epochs=1), "--forecast", str(case / "none" / "minutes.json")])
    assert "follow" not in capsys.readouterr().err
    one, two = (read_record(case / name / "record.json") for name in ("one", "two"))
    assert one.model_copy(update={"timing": two.timing}) == two
