"""dvc exp run, exp show and exp branch, and a fold that diverges."""

import csv
import io
import json
import re

import pytest


def test_another_model_trains_only_its_folds_and_joins_the_comparison(proposal):
    ran = (proposal.path.parent / "ran.txt").read_text().splitlines()
    expected = ["check", "build@nin", "extract@nin", "forecast", "tune@nin", "first@nin", "race"]
    expected += [f"train@nin-0-{fold}" for fold in (0, 1)]
    without_mistakes = [stage for stage in ran if stage != "mistakes"]  # runs for another choice
    assert without_mistakes == [*expected, "inspect", "compare", "report"]
    assert proposal.comparison()["design"]["models"] == ["lenet5", "nin"]
    rows = list(csv.DictReader(io.StringIO((proposal.path.parent / "experiments.csv").read_text())))
    assert [row["Experiment"] for row in rows] == ["", "", "other"]  # workspace, proposal
    metrics = json.loads((proposal.path / "reports/metrics.json").read_text())
    assert rows[-1]["model"] == "nin"
    assert float(rows[-1]["mean"]) == pytest.approx(metrics["mean"])
    assert rows[-1]["verdict"] == metrics["verdict"]
    assert [name for name in rows[-1] if "reports/folds/" in name] == []


def test_experiments_of_earlier_commits_stay_in_the_table(proposal, tmp_path):
    clone = proposal.copy(tmp_path / "foldwise")
    (clone.path / ".venv").mkdir()
    (clone.path / ".venv" / "installed").touch()
    assert "other" not in clone.quick("dvc", "exp", "show", "--csv").stdout
    result = clone.quick("make", "experiments", PAGER="cat")
    assert re.search("─ [0-9a-f]{7} \\[other\\] ", result.stdout), result.stdout + result.stderr


@pytest.mark.slow
def test_an_experiment_becomes_a_branch(clone):
    clone.dvc("exp", "run", "--name", "other", "--set-param", "model=nin")
    clone.dvc("exp", "branch", "other", "proposal")
    clone.git("checkout", "--quiet", "--force", "proposal")
    clone.dvc("checkout")
    assert clone.dvc("repro") == []
    assert (clone.path / "reports/folds/nin/0-1.json").is_file()


@pytest.mark.slow
def test_an_experiment_in_a_temporary_folder_takes_earlier_results(clone):
    """Nothing that git ignores is there: neither data nor the empty folder of the images."""
    clone.dvc("exp", "run", "--set-param", "compare.confidence=0.9")
    clone.git("checkout", "--quiet", ".")
    ran = clone.dvc("exp", "run", "--temp", "--name", "apart", "-S", "compare.confidence=0.9")
    assert not [stage for stage in ran if "train" in stage]
    assert "apart" in clone.quick("dvc", "exp", "list").stdout


@pytest.mark.slow
def test_settings_of_one_model_retrain_it_only_once_and_a_diverged_fold_is_never_averaged(clone):
    before = clone.files()

    def diverge():
        clone.change_params(build={"architectures": {"slim_vgg": {"learning_rate": 1e30}}})
        return [stage for stage in clone.dvc("repro") if "train" in stage]

    assert diverge() == ["train@slim_vgg-0-0", "train@slim_vgg-0-1"]
    diverged = clone.files()
    rows = clone.comparison()["architectures"]
    assert [row["name"] for row in rows if row["scores"]] == ["lenet5"]
    assert [row["name"] for row in rows if not row["scores"]] == ["slim_vgg"]
    assert "diverged in 2 of 2 folds" in (clone.path / "reports/report.md").read_text()
    clone.git("checkout", "--quiet", ".")
    assert not [stage for stage in clone.dvc("repro") if "train" in stage]
    assert clone.files() == before
    assert diverge() == []  # from the run-cache
    assert clone.files() == diverged
