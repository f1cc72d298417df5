"""Workspaces on a worker: one for each fold that runs, used again where that is safe."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from foldwise.run.shipped.workspace import workspace

# Takes a workspace, says so, and waits for its end.
HOLDER = """
import sys
from pathlib import Path
from foldwise.run.shipped.workspace import workspace

with workspace(Path(sys.argv[1]), Path(sys.argv[2]).read_bytes(), "a" * 64, "store") as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def snapshot():
    """Return a zip file as a snapshot is."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, mode="w") as archive:
        archive.writestr(".dvc/config", "")
    return packed.getvalue()


def borrow(node, snapshot, sha256="a" * 64):
    return workspace(node, snapshot, sha256, "store")


def test_the_next_fold_of_a_snapshot_finds_the_files_of_the_last(tmp_path, snapshot):
    with borrow(tmp_path, snapshot) as first:
        (first / "data").touch()
    with borrow(tmp_path, snapshot) as second:
        assert second == first
        assert (second / "data").exists()


def test_two_folds_at_a_time_have_two_and_share_their_data(tmp_path, snapshot):
    with borrow(tmp_path, snapshot) as first, borrow(tmp_path, snapshot) as second:
        assert first != second
        objects = [(folder / ".dvc/cache/files").resolve() for folder in (first, second)]
        assert objects == [tmp_path / "objects"] * 2
        assert not (first / ".dvc/cache/runs").resolve().is_relative_to(tmp_path / "objects")


def test_another_snapshot_gets_another_and_removes_the_first(tmp_path, snapshot):
    with borrow(tmp_path, snapshot) as first:
        pass
    with borrow(tmp_path, snapshot, "b" * 64) as second:
        assert second != first
        assert not first.exists()


def test_one_in_use_is_left_alone(tmp_path, snapshot):
    with borrow(tmp_path, snapshot) as first, borrow(tmp_path, snapshot, "b" * 64):
        assert (first / ".dvc/config").exists()


def test_one_of_a_killed_worker_is_not_used_again(tmp_path, snapshot):
    file = tmp_path / "snapshot.zip"
    file.write_bytes(snapshot)
    command = (sys.executable, "-c", HOLDER, str(tmp_path), str(file))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as worker:
        first = Path(worker.stdout.readline().strip())
        assert first.is_dir()
        worker.kill()
    with borrow(tmp_path, snapshot) as second:
        assert second != first
        assert not first.exists()


def test_credentials_come_from_the_worker_and_git_is_not_needed(tmp_path, snapshot):
    with borrow(tmp_path, snapshot) as folder:
        text = (folder / ".dvc/config.local").read_text()
    assert "no_scm = true" in text
    assert "remote = store" in text
    assert f'site_cache_dir = "{folder}/.dvc/tmp/site"' in text
