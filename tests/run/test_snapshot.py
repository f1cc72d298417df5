"""What of a workspace goes to the workers."""

import io
import re
import subprocess
import zipfile

import pytest

from foldwise.core.errors import InputError
from foldwise.run.remote import take_snapshot


@pytest.fixture
def repository(tmp_path):
    """Return a git repository with files that go and files that stay."""
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
        "tests/test_fit.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "dvc.yaml", "stages"], cwd=tmp_path, check=True)
    return tmp_path


def names(snapshot):
    with zipfile.ZipFile(io.BytesIO(snapshot.content)) as archive:
        return archive.namelist()


def test_what_train_needs_goes_uncommitted_or_not_and_nothing_else(repository):
    assert names(take_snapshot(repository)) == [
        ".dvc/.gitignore",
        ".dvc/config",
        "data/checked/train.json",
        "dvc.yaml",
        "nets/mine.py",
        "foldwise/engine/trainer.py",
    ]


def test_the_same_files_are_the_same_bytes(repository):
    first = take_snapshot(repository)
    (repository / "dvc.yaml").touch()
    assert take_snapshot(repository) == first
    (repository / "dvc.yaml").write_text("stages: {}  # changed\n")
    assert take_snapshot(repository).sha256 != first.sha256


def test_a_file_that_git_knows_and_is_gone_stays_away(repository):
    (repository / "foldwise/engine/trainer.py").unlink()
    assert "foldwise/engine/trainer.py" not in names(take_snapshot(repository))


def test_more_than_100_mb_are_refused_with_the_largest_file(repository):
    with (repository / "nets/weights.pt").open("wb") as file:
        file.truncate(100_000_001)
    with pytest.raises(InputError, match=r"take 100 MB, nets/weights\.pt most of it; expected at"):
        take_snapshot(repository)


def test_without_git_it_is_one_line(tmp_path):
    with pytest.raises(InputError, match=f"^{re.escape(str(tmp_path))}: fatal: not a git repo.*$"):
        take_snapshot(tmp_path)
