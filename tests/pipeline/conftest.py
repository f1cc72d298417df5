"""A clone of the working tree, small and run once; every test changes a copy of its own."""

import shutil
import subprocess

import pytest
from clone import ROOT, Clone

SMALL = {
    "model": "lenet5",
    "candidates": ["lenet5", "slim_vgg", "lenet5"],
    "folds": [0, 1],
    "resplit": True,
    "prepare": {"limit": 60},
    "train": {"epochs": 1},
    "hardware": {"threads": 1},
    "forecast": {"seconds": 0.05},
}


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Return a clone whose small comparison has run and is committed."""
    path = tmp_path_factory.mktemp("pipeline") / "foldwise"
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(listed, cwd=ROOT, text=True).splitlines():
        if (ROOT / name).is_file() and not name.startswith(("tests/", "reports/", "dvc.lock")):
            target = path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    clone = Clone(path)
    clone.change_params(**SMALL)
    clone.git("init", "--quiet", "--initial-branch=main")
    (path / ".dvc" / "config.local").write_text(
        f'[core]\n    site_cache_dir = "{path.parent / "site"}"\n'
    )
    clone.dvc("repro")
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "--message", "small comparison")
    return clone


@pytest.fixture
def clone(finished, tmp_path):
    """Return a copy of the finished clone."""
    shutil.copytree(finished.path, tmp_path / "foldwise", symlinks=True)
    return Clone(tmp_path / "foldwise")


@pytest.fixture
def start(clone):
    """Return a function that starts a command in the clone; the test's end is its end, too."""
    running = []

    def start(*command, **environment):
        running.append(clone.start(*command, **environment))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def proposal(finished, tmp_path_factory):
    """Return a clone on a branch with fewer candidates and another metric, run and committed."""
    path = tmp_path_factory.mktemp("proposal") / "foldwise"
    shutil.copytree(finished.path, path, symlinks=True)
    clone = Clone(path)
    clone.git("checkout", "--quiet", "-b", "proposal")
    clone.change_params(candidates=["lenet5", "lenet5", "lenet5"], compare={"metric": "log_loss"})
    clone.dvc("repro")
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "--message", "drop slim_vgg, and compare by log loss")
    return clone
