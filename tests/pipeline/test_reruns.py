"""What runs again after a change, read from real runs of DVC."""

import json

import numpy as np
from PIL import Image

CODE_OF_TRAIN = "foldwise/engine/trainer.py"


def test_a_second_run_runs_nothing(clone):
    assert clone.dvc("repro") == []


def test_comments_docstrings_and_readme_rerun_nothing_but_the_check(clone):
    clone.replace(CODE_OF_TRAIN, '"""One step of training."""', '"""Other words."""\n\n# a')
    (clone.path / "README.md").write_text("another README")
    assert clone.dvc("repro") == ["check"]


def test_code_of_the_report_reruns_the_report_only(clone):
    clone.replace("foldwise/report/templates/report.md.j2", "No architecture to take", "Take none")
    assert clone.dvc("repro") == ["check", "report"]


def test_code_of_one_network_retrains_that_network_only(clone):
    clone.replace("foldwise/nets/zoo/slim_vgg.py", "from torch", "ANSWER = 42\nfrom torch")
    ran = clone.dvc("repro")
    assert {"train@slim_vgg-0-0", "train@slim_vgg-0-1"} == {s for s in ran if "train" in s}


def test_code_of_training_retrains_everything(clone):
    clone.replace(CODE_OF_TRAIN, "LOSS_CHECK_STEPS = 20", "LOSS_CHECK_STEPS = 21")
    assert len([stage for stage in clone.dvc("repro") if stage.startswith("train@")]) == 4


def test_settings_of_one_architecture_retrain_it_only(clone):
    clone.change_params(build={"architectures": {"lenet5": {"learning_rate": 0.001}}})
    ran = clone.dvc("repro")
    assert {"train@lenet5-0-0", "train@lenet5-0-1"} == {s for s in ran if "train" in s}


def test_another_repeat_trains_only_that_repeat(clone):
    clone.change_params(repeats=[0, 1])
    ran = clone.dvc("repro")
    expected = ["check", "split@1", "augment@1", "forecast"]
    expected += [f"train@{model}-1-{fold}" for model in ("lenet5", "slim_vgg") for fold in (0, 1)]
    assert ran == [*expected, "compare", "mistakes", "report"]
    design = json.loads((clone.path / "reports/comparison.json").read_text())["design"]
    assert design["repeats"] == [0, 1]


def test_the_confidence_of_the_intervals_retrains_nothing(clone):
    clone.change_params(compare={"confidence": 0.9})
    assert clone.dvc("repro") == ["check", "compare", "report"]


def test_what_was_trained_once_comes_from_the_cache(clone):
    clone.change_params(train={"learning_rate": 0.001})
    ran = clone.dvc("repro")
    assert len([stage for stage in ran if stage.startswith("train@")]) == 4
    before = clone.files()
    clone.git("checkout", "--quiet", ".")
    assert not [stage for stage in clone.dvc("repro") if "train" in stage]
    clone.change_params(train={"learning_rate": 0.001})
    assert not [stage for stage in clone.dvc("repro") if "train" in stage]
    assert clone.files() == before


def test_a_clone_without_data_needs_neither_data_nor_training(clone, tmp_path):
    clone.git("clone", "--quiet", str(clone.path), str(tmp_path / "reviewer"))
    reviewer = type(clone)(tmp_path / "reviewer")
    assert reviewer.dvc("repro", "--allow-missing") == []
    reviewer.change_params(compare={"confidence": 0.9})
    assert reviewer.dvc("repro", "--allow-missing") == ["check", "compare", "report"]


def test_other_images_are_prepared_anew(clone):
    """Equal folds of equal images: what prepare gives again, nothing trains on again."""
    rng = np.random.default_rng(0)
    for index in range(40):
        folder = clone.path / "data" / "raw" / "ab"[index % 2]
        folder.mkdir(exist_ok=True)
        pixels = rng.integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:02d}.png")
    clone.change_params(prepare={"dataset": "folder"})
    clone.dvc("repro")
    assert clone.dvc("repro") == []
    Image.fromarray(pixels.T.copy()).save(folder / "new.png")
    ran = clone.dvc("repro")
    assert "prepare" in ran
    assert "train@lenet5-0-0" in ran
    (folder / "notes.txt").write_text("no image")
    assert clone.dvc("repro") == ["prepare"]
