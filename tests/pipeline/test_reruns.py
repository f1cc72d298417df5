"""Which stages run again after a change, as DVC says it."""

import shutil

import numpy as np
import pytest
import yaml
from PIL import Image
from rerun_table import (
    ERROR_TEXTS,
    STALE_AFTER,
    add_comments,
    add_constant,
    change_error_texts,
)

CHECK = (
    *("python", "-m", "stages.check", "--params", "params.yaml", "--pipeline", "dvc.yaml"),
    *("--code", ".", "--output", "data/checked"),
)
QUICK = ("nets/network.py",)  # tests/files/test_code.py asks all rows without DVC


@pytest.fixture(scope="module")
def stale_after(finished, tmp_path_factory):
    """Return a function that changes a file, runs check and returns the stages that are stale.

    It restores the file. All rows of the table share one clone.
    """
    clone = finished.copy(tmp_path_factory.mktemp("table") / "foldwise")

    def stale_after(file, change):
        path = clone.path / file
        before = path.read_text()
        path.write_text(change(before))
        try:
            result = clone.quick(*CHECK)
            assert result.returncode == 0, result.stderr
            return clone.stale() - {"check"}
        finally:
            path.write_text(before)

    return stale_after


def names(stages):
    return {stage.partition("@")[0] for stage in stages}


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        pytest.param(*row, marks=() if row[0] in QUICK else pytest.mark.slow)
        for row in STALE_AFTER.items()
    ],
)
def test_a_new_constant_reruns_the_stages_whose_results_it_decides(stale_after, file, stages):
    assert names(stale_after(f"foldwise/{file}", add_constant)) == stages


@pytest.mark.slow
@pytest.mark.parametrize("file", ERROR_TEXTS)
def test_an_error_text_reruns_nothing(stale_after, file):
    assert stale_after(f"foldwise/{file}", change_error_texts) == set()


@pytest.mark.slow
@pytest.mark.parametrize("file", ["foldwise/engine/trainer.py", "stages/train.py"])
def test_a_comment_reruns_nothing(stale_after, file):
    assert stale_after(file, add_comments) == set()


@pytest.mark.slow
def test_the_readme_reruns_nothing(stale_after):
    assert stale_after("README.md", add_constant) == set()


@pytest.mark.slow  # by default in test_experiments.py
@pytest.mark.parametrize(
    ("section", "values", "stages"),
    [
        ("train", {"learning_rate": 0.001}, {"forecast", "tune", "first", "train", "report"}),
        ("compare", {"confidence": 0.9}, {"race", "compare", "report"}),
        ("augment", {"flip": 0.25}, {"augment", "forecast", "report"}),
    ],
)
def test_a_setting_reruns_its_stage(stale_after, section, values, stages):
    def change(text):
        params = yaml.safe_load(text)
        params[section] |= values
        return yaml.safe_dump(params, sort_keys=False)

    assert names(stale_after("params.yaml", change)) == stages


def test_another_repeat_trains_only_that_repeat(stale_after):
    def change(text):
        return yaml.safe_dump(yaml.safe_load(text) | {"repeats": [0, 1]}, sort_keys=False)

    trainings = {f"train@{model}-1-{fold}" for model in ("lenet5", "slim_vgg") for fold in (0, 1)}
    expected = {
        "split@1",
        "augment@1",
        "forecast",
        "race",
        "inspect",
        "compare",
        "report",
        *trainings,
    }
    assert stale_after("params.yaml", change) == expected


@pytest.mark.slow
def test_code_of_one_network_retrains_that_network_only(clone):
    clone.replace("foldwise/nets/zoo/slim_vgg.py", "from torch", "ANSWER = 42\nfrom torch")
    clone.dvc("repro", "build")
    trainings = {stage for stage in clone.stale() if "train" in stage}
    assert trainings == {"train@slim_vgg-0-0", "train@slim_vgg-0-1"}


@pytest.mark.slow  # by default in test_report_workflow.py
def test_a_clone_without_data_needs_neither_data_nor_training(clone, tmp_path):
    clone.git("clone", "--quiet", str(clone.path), str(tmp_path / "reviewer"))
    reviewer = type(clone)(tmp_path / "reviewer", clone.shims)
    assert reviewer.dvc("repro", "--allow-missing") == []
    reviewer.change_params(compare={"confidence": 0.9})
    assert reviewer.dvc("repro", "--allow-missing") == ["check", "race", "compare", "report"]


@pytest.mark.slow
def test_another_choice_without_data_has_no_pictures_until_the_data_are_there(clone, tmp_path):
    clone.git("clone", "--quiet", str(clone.path), str(tmp_path / "reviewer"))
    reviewer = type(clone)(tmp_path / "reviewer", clone.shims)
    before = (reviewer.path / "reports/confused.json").read_text()
    worth = 1e-9 if '"lenet5"' in before else 1.0  # lenet5 is the cheapest
    reviewer.change_params(compare={"worth": worth})
    expected = ["check", "race", "compare", "mistakes", "report"]
    assert reviewer.dvc("repro", "--allow-missing") == expected
    assert (reviewer.path / "reports/confused.json").read_text() != before
    assert reviewer.dvc("repro", "--allow-missing") == []
    report = reviewer.path / "reports/report.md"
    assert "no pictures" in report.read_text()
    cache = reviewer.path / ".dvc/cache"
    shutil.copytree(clone.path / ".dvc/cache", cache, dirs_exist_ok=True)
    assert reviewer.dvc("repro")[-2:] == ["mistakes", "report"]
    assert "no pictures" not in report.read_text()
    assert list((reviewer.path / "reports/mistakes").glob("*.png"))


@pytest.mark.slow
def test_new_images_change_the_prepared_data_and_other_files_do_not(clone):
    """DVC compares contents: if prepare writes the same bytes, no later stage runs."""
    rng = np.random.default_rng(0)
    for index in range(40):
        folder = clone.path / "data" / "raw" / "ab"[index % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:02d}.png")

    def digest():
        lock = yaml.safe_load((clone.path / "dvc.lock").read_text())
        return lock["stages"]["prepare"]["outs"][0]["md5"]

    clone.change_params(prepare={"dataset": "folder"})
    assert clone.dvc("repro", "prepare") == ["check", "prepare"]
    first = digest()
    assert clone.dvc("repro", "prepare") == []
    (folder / "notes.txt").write_text("no image")
    assert clone.dvc("repro", "prepare") == ["prepare"]
    assert digest() == first
    Image.fromarray(pixels.T.copy()).save(folder / "new.png")
    assert clone.dvc("repro", "prepare") == ["prepare"]
    assert digest() != first
