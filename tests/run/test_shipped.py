"""The workspaces of a Ray worker, and the environment of its command."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from foldwise.run.shipped import open_workspace, worker_environment

# Opens a workspace, prints its path and waits.
OPEN_AND_WAIT = """
import sys
from pathlib import Path
from foldwise.run.shipped import open_workspace

with open_workspace(Path(sys.argv[1]), Path(sys.argv[2]).read_bytes(), "a" * 64, "store") as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def snapshot():
    """Return a zip file like a snapshot."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, mode="w") as archive:
        archive.writestr(".dvc/config", "")
    return packed.getvalue()


def open_in(node, snapshot, sha256="a" * 64):
    return open_workspace(node, snapshot, sha256, "store")


def test_the_next_fold_of_a_snapshot_reuses_the_workspace(tmp_path, snapshot):
    with open_in(tmp_path, snapshot) as first:
        (first / "data").touch()
    with open_in(tmp_path, snapshot) as second:
        assert second == first
        assert (second / "data").exists()


def test_parallel_folds_have_two_workspaces_and_share_the_cache_of_objects(tmp_path, snapshot):
    with open_in(tmp_path, snapshot) as first, open_in(tmp_path, snapshot) as second:
        assert first != second
        objects = [(folder / ".dvc/cache/files").resolve() for folder in (first, second)]
        assert objects == [tmp_path / "objects"] * 2
        assert not (first / ".dvc/cache/runs").resolve().is_relative_to(tmp_path / "objects")


def test_another_snapshot_replaces_a_free_workspace(tmp_path, snapshot):
    with open_in(tmp_path, snapshot) as first:
        pass
    with open_in(tmp_path, snapshot, "b" * 64) as second:
        assert second != first
        assert not first.exists()


def test_a_workspace_in_use_is_kept(tmp_path, snapshot):
    with open_in(tmp_path, snapshot) as first, open_in(tmp_path, snapshot, "b" * 64):
        assert (first / ".dvc/config").exists()


def test_the_workspace_of_a_killed_worker_is_not_reused(tmp_path, snapshot):
    file = tmp_path / "snapshot.zip"
    file.write_bytes(snapshot)
    command = (sys.executable, "-c", OPEN_AND_WAIT, str(tmp_path), str(file))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as worker:
        first = Path(worker.stdout.readline().strip())
        assert first.is_dir()
        worker.kill()
    with open_in(tmp_path, snapshot) as second:
        assert second != first
        assert not first.exists()


def test_credentials_come_from_the_worker_and_git_is_not_needed(tmp_path, snapshot):
    with open_in(tmp_path, snapshot) as folder:
        text = (folder / ".dvc/config.local").read_text()
    assert "no_scm = true" in text
    assert "remote = store" in text
    assert f'site_cache_dir = "{folder}/.dvc/tmp/site"' in text


def test_the_module_imports_nothing_else_of_foldwise():
    """Ray ships it by value to workers without Foldwise."""
    code = (
        "import sys, foldwise.run.shipped; "
        "print(*(name for name in sys.modules if name.startswith('foldwise')))"
    )
    command = (sys.executable, "-c", code)
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert set(names) == {"foldwise", "foldwise.run", "foldwise.run.shipped"}


def test_the_command_finds_the_worker_s_python_first():
    path = worker_environment({"PATH": "/usr/bin"}, has_gpu=False)["PATH"]
    assert path == f"{Path(sys.executable).parent}:/usr/bin"


def test_the_thread_count_of_ray_is_dropped():
    assert "OMP_NUM_THREADS" not in worker_environment({"OMP_NUM_THREADS": "1"}, has_gpu=False)


def test_a_fold_sees_the_gpu_that_ray_assigned_or_none():
    variables = {"CUDA_VISIBLE_DEVICES": "1"}
    assert worker_environment(variables, has_gpu=True)["CUDA_VISIBLE_DEVICES"] == "1"
    assert worker_environment(variables, has_gpu=False)["CUDA_VISIBLE_DEVICES"] == ""


def test_credentials_are_kept():
    assert worker_environment({"AWS_PROFILE": "me"}, has_gpu=False)["AWS_PROFILE"] == "me"
