"""The final pipeline in real runs of DVC: one test, counted, and a model that others can fetch."""

import json
import shutil

import pytest

FINAL = "final/dvc.yaml"
STAGES = ["choose", "refit", "calibrate", "test", "export", "card"]


def final(clone):
    """Run the final pipeline and return its stages that ran."""
    ran = clone.dvc("repro", FINAL)
    return [stage.removeprefix(f"{FINAL}:") for stage in ran if stage.startswith(FINAL)]


def record(clone):
    return json.loads((clone.path / "reports/final/test.json").read_text())


def test_the_comparison_never_opens_the_test_images(finished):
    assert not (finished.path / "reports/final").exists()
    assert not (finished.path / "data/final").exists()


@pytest.mark.slow
def test_the_choice_is_tested_once_and_a_second_model_is_counted(clone, tmp_path):
    assert final(clone) == STAGES
    assert final(clone) == []
    assert clone.dvc("repro") == []
    assert len(record(clone)["openings"]) == 1
    shutil.copytree(clone.path / "data/final/export", clone.path / "models/classifier")
    clone.dvc("add", "models/classifier")
    clone.commit("the final model")
    clone.git("tag", "--annotate", "final=classifier@v0.1.0", "--message", "x")
    target = str(tmp_path / "fetched")
    clone.dvc("artifacts", "get", str(clone.path), "final:classifier", "--out", target)
    model = json.loads((tmp_path / "fetched" / "model.json").read_text())
    assert model["weights_sha256"] == record(clone)["model"]

    clone.replace("final/params.yaml", "epochs: comparison", "epochs: 2")
    assert final(clone) == STAGES
    models = [opening["model"] for opening in record(clone)["openings"]]
    assert models[0] == model["weights_sha256"] != models[1]


@pytest.mark.slow
def test_make_final_says_what_it_made(clone):
    (clone.path / ".venv").mkdir()
    (clone.path / ".venv" / "installed").touch()
    result = clone.quick("make", "final")
    assert result.returncode == 0, result.stderr
    assert "export: model.safetensors, model.pt2, model.onnx, the same class" in result.stdout


@pytest.mark.slow
def test_a_changed_comparison_is_brought_up_to_date_first(clone):
    clone.change_params(compare={"worth": 1.0})
    ran = clone.dvc("repro", FINAL)
    assert ran.index("compare") < ran.index(f"{FINAL}:choose")


@pytest.mark.slow
def test_without_test_images_nothing_is_trained(clone):
    clone.change_params(prepare={"test_fraction": 0})
    result = clone.quick("dvc", "repro", FINAL)
    assert result.returncode != 0
    assert "has no test images; set prepare.test_fraction" in result.stdout + result.stderr
    assert not (clone.path / "data/final/model").exists()
