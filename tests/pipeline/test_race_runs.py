"""A race by real runs of DVC: what trains, side by side and one by one."""

import json
import shutil

import pytest
from trainings import COMMAND, results

pytestmark = pytest.mark.slow
# So little confidence that the worse of two networks is stopped.
RACE = {"race": True, "confidence": 0.500001, "worth": 0.0}


def records(clone, name):
    folder = clone.path / "reports" / "folds" / name
    return [json.loads((folder / f"0-{fold}.json").read_text()) for fold in range(3)]


def test_race_side_by_side_and_one_by_one(clone):
    """The same results; one architecture is stopped, and the other trains no fold again."""
    clone.change_params(
        folds=[0, 1, 2], train={"epochs": 20, "learning_rate": 0.01}, prepare={"limit": 200}
    )
    clone.dvc("repro")
    before = {name: records(clone, name) for name in ("lenet5", "slim_vgg")}
    clone.change_params(compare=RACE)
    result = clone.run(*COMMAND, "--jobs", "2")
    assert result.returncode == 0, result.stderr
    assert "1 of 2 architectures go on" in result.stdout
    assert "run: 2 stale trainings" in result.stdout  # the first folds
    assert "stale trainings" not in result.stdout.partition("go on")[2]
    after = {name: records(clone, name) for name in before}
    (stopped,) = [name for name in after if after[name][1]["status"] == "stopped"]
    (winner,) = {*before} - {stopped}
    assert after[winner][1:] == before[winner][1:]  # with their seconds: not trained again
    assert after[winner][0]["curves"] == before[winner][0]["curves"]
    assert [record["status"] for record in after[stopped]] == ["finished", "stopped", "stopped"]
    verdict = json.loads((clone.path / "reports" / "verdict.json").read_text())
    assert verdict["chosen"] == winner
    assert "stopped after the first fold" in verdict["text"]
    shown = clone.quick("dvc", "plots", "diff", "HEAD", "--json")
    assert (shown.returncode, shown.stderr) == (0, "")  # no warning of a record without curves
    expected = results(clone)
    assert clone.dvc("repro") == []

    clone.git("checkout", "--quiet", "reports", "dvc.lock")
    shutil.rmtree(clone.path / ".dvc" / "cache" / "runs")  # so that the folds train again
    clone.dvc("repro")
    assert results(clone) == expected


def test_an_unlikely_start_tunes_and_races_side_by_side(clone):
    clone.change_params(compare=RACE, train={"learning_rate": "auto"})
    result = clone.run(*COMMAND, "--jobs", "2")
    assert result.returncode == 0, result.stderr
    for stage in ("tune", "first", "train"):
        assert f"] {stage}: " in result.stderr
    assert clone.dvc("repro") == []
