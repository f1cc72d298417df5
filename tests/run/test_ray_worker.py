"""Resources and environment of a Ray worker, and the files that it receives."""

import io
import re
import zipfile

import pytest
from git_command import git

from foldwise.core.errors import InputError
from foldwise.core.machine import versions
from foldwise.files.params import HardwareSection
from foldwise.run.ray_worker import (
    choose_gpus,
    require_same_environment,
    required_environment,
    take_snapshot,
)


def section(device="auto", precision="auto"):
    return HardwareSection(device=device, precision=precision, threads=2)


@pytest.mark.parametrize(
    ("device", "local_device", "gpus", "expected"),
    [
        ("auto", "cpu", None, 0),
        ("auto", "cuda", None, 1),
        ("cpu", "cpu", None, 0),
        ("cuda", "cuda", None, 1),
        ("cuda", "cuda", 0.5, 0.5),
        ("auto", "cpu", 1, 1),  # the machine at the head of a cluster often has none
    ],
)
def test_a_fold_needs_a_gpu_if_it_would_train_on_one(device, local_device, gpus, expected):
    assert choose_gpus(section(device), local_device, gpus) == expected


@pytest.mark.parametrize(
    ("device", "local_device", "gpus", "message"),
    [
        ("cpu", "cpu", 1, "--gpus is 1 and hardware.device is 'cpu'"),
        ("cuda", "cuda", 0, "--gpus is 0, hardware.device is 'cuda'"),
        ("auto", "cuda", 0, "--gpus is 0, hardware.device is 'auto'"),
        ("auto", "cpu", -1, "--gpus is -1"),
        ("auto", "cpu", 2, "--gpus is 2"),
        ("auto", "cpu", float("nan"), "--gpus is nan"),
    ],
)
def test_folds_never_train_on_another_device(device, local_device, gpus, message):
    with pytest.raises(InputError, match=f"^{message}"):
        choose_gpus(section(device), local_device, gpus)


def test_auto_precision_is_that_of_this_machine():
    expected = required_environment(section(), "cpu", "bfloat16", gpus=0)
    assert expected == versions() | {"precision": "bfloat16"}


def test_auto_precision_is_rejected_if_only_workers_have_gpus():
    with pytest.raises(InputError, match=r"^hardware\.precision is 'auto'"):
        required_environment(section(), "cpu", "bfloat16", gpus=1)
    named = required_environment(section(precision="float32"), "cpu", "float32", gpus=1)
    assert named["precision"] == "float32"


def test_the_same_versions_pass():
    require_same_environment(versions(), versions())


def test_other_versions_are_named_with_both():
    with pytest.raises(InputError, match=r"torch is 2\.15\.0; expected 2\.14\.1: install"):
        require_same_environment(
            {"python": "3.11.7", "torch": "2.14.1"}, {"python": "3.11.7", "torch": "2.15.0"}
        )


@pytest.fixture
def repository(tmp_path):
    """Return a git repository with files that workers need and others."""
    files = {
        ".dvc/.gitignore": "/config.local\n",
        ".dvc/config": "[core]\n",
        ".dvc/config.local": "[core]\n",
        ".env": "SECRET=1\n",
        "data/.gitignore": "*\n",
        "data/checked/train.json": "{}\n",
        "data/raw/0.png": "",
        "dvc.yaml": "stages: {}\n",
        "nets/mine.py": "",
        "reports/report.md": "",
        "foldwise/engine/trainer.py": "",
        "stages/train.py": "",
        "tests/test_fit.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "dvc.yaml", "foldwise")
    return tmp_path


def names(snapshot):
    with zipfile.ZipFile(io.BytesIO(snapshot)) as archive:
        return archive.namelist()


def test_the_snapshot_holds_what_train_needs_committed_or_not_and_nothing_else(repository):
    assert names(take_snapshot(repository)) == [
        ".dvc/.gitignore",
        ".dvc/config",
        "data/checked/train.json",
        "dvc.yaml",
        "foldwise/engine/trainer.py",
        "nets/mine.py",
        "stages/train.py",
    ]


def test_the_same_files_are_the_same_bytes(repository):
    first = take_snapshot(repository)
    (repository / "dvc.yaml").touch()
    assert take_snapshot(repository) == first
    (repository / "dvc.yaml").write_text("stages: {}  # changed\n")
    assert take_snapshot(repository) != first


def test_a_deleted_file_is_left_out(repository):
    (repository / "foldwise/engine/trainer.py").unlink()
    assert "foldwise/engine/trainer.py" not in names(take_snapshot(repository))


def test_more_than_100_mb_are_rejected_with_the_largest_file(repository):
    with (repository / "nets/weights.pt").open("wb") as file:
        file.truncate(100_000_001)
    with pytest.raises(
        InputError, match=r"have 100 MB, the largest is nets/weights\.pt; expected at"
    ):
        take_snapshot(repository)


def test_without_git_it_is_one_line(tmp_path):
    with pytest.raises(InputError, match=f"^{re.escape(str(tmp_path))}: fatal: not a git repo.*$"):
        take_snapshot(tmp_path)
