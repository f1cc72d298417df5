"""dvc exp run, exp show and the reports that they leave."""

import csv
import io
import json

import pytest


def test_another_model_trains_its_folds_only_and_joins_the_comparison(clone):
    ran = clone.dvc("exp", "run", "--name", "deep", "--set-param", "model=resnet18")
    expected = ["check", "build@resnet18", "extract@resnet18", "forecast"]
    expected += [f"train@resnet18-0-{fold}" for fold in (0, 1)]
    found = [stage for stage in ran if stage != "mistakes"]  # runs if another one is chosen
    assert found == [*expected, "compare", "report"]
    comparison = json.loads((clone.path / "reports/comparison.json").read_text())
    assert comparison["design"]["models"] == ["lenet5", "slim_vgg", "resnet18"]
    rows = list(csv.DictReader(io.StringIO(clone.run("dvc", "exp", "show", "--csv").stdout)))
    assert [row["Experiment"] for row in rows] == ["", "", "deep"]  # workspace, main
    metrics = json.loads((clone.path / "reports/metrics.json").read_text())
    assert rows[-1]["model"] == "resnet18"
    assert float(rows[-1]["mean"]) == pytest.approx(metrics["mean"])
    assert rows[-1]["verdict"] == metrics["verdict"]
    assert [name for name in rows[-1] if "reports/folds/" in name] == []


def test_an_experiment_becomes_a_branch(clone):
    clone.dvc("exp", "run", "--name", "deep", "--set-param", "model=resnet18")
    clone.dvc("exp", "branch", "deep", "proposal")
    clone.git("checkout", "--quiet", "--force", "proposal")
    clone.dvc("checkout")
    assert clone.dvc("repro") == []
    assert (clone.path / "reports/folds/resnet18/0-1.json").is_file()


def test_an_experiment_runs_in_a_folder_of_its_own_what_ran_here_before(clone):
    """Nothing that git ignores is there: neither data nor the empty folder of the images."""
    clone.dvc("exp", "run", "--set-param", "compare.confidence=0.9")
    clone.git("checkout", "--quiet", ".")
    ran = clone.dvc("exp", "run", "--temp", "--name", "apart", "-S", "compare.confidence=0.9")
    assert not [stage for stage in ran if "train" in stage]
    assert "apart" in clone.run("dvc", "exp", "list").stdout


def test_a_fold_that_diverges_is_said_and_never_averaged(clone):
    clone.change_params(build={"architectures": {"slim_vgg": {"learning_rate": 1e30}}})
    clone.dvc("repro")
    rows = json.loads((clone.path / "reports/comparison.json").read_text())["architectures"]
    assert [(row["name"], row["status"]) for row in rows] == [
        ("lenet5", "finished"),
        ("slim_vgg", "failed"),
    ]
    assert rows[1]["scores"] is None
    report = (clone.path / "reports/report.md").read_text()
    assert "diverged in 2 of 2 folds" in report
