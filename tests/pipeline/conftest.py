"""A small clone of the working tree whose pipeline has run once; tests change copies of it."""

import os
import shutil
import subprocess

import pytest
from clone import ROOT, Clone
from filelock import FileLock

SMALL = {
    "model": "lenet5",
    "candidates": ["lenet5", "slim_vgg", "lenet5"],
    "folds": [0, 1],
    "resplit": True,
    "prepare": {"limit": 60},
    "train": {"epochs": 1, "learning_rate": 0.002},  # nothing to tune
    "hardware": {"threads": 1},
    "forecast": {"seconds": 0.05},
}
PROPOSED = (
    *("-S", "model=nin", "-S", "candidates=[lenet5,lenet5,lenet5]"),
    *("-S", "compare.metric=log_loss"),
)


def make_finished(clone):
    """Copy the working tree with compiled code, run a small comparison and commit everything."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(command, cwd=ROOT, text=True).splitlines():
        if (ROOT / name).is_file() and not name.startswith(("tests/", "reports/", "dvc.lock")):
            target = clone.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    for package in ("foldwise", "stages"):
        for compiled in (ROOT / package).rglob("__pycache__"):
            shutil.copytree(compiled, clone.path / compiled.relative_to(ROOT))
    clone.change_params(**SMALL)
    clone.git("init", "--quiet", "--initial-branch=main")
    (clone.path / ".dvc" / "config.local").write_text(
        f'[core]\n    site_cache_dir = "{clone.path.parent / "site"}"\n'
    )
    clone.dvc("repro")
    assert clone.dvc("repro") == []
    clone.commit("small comparison")


def make_proposal(clone, finished):
    """Run an experiment with nin, without slim_vgg, and commit it in a branch.

    Beside the clone are the stages that ran and the table of experiments.
    """
    shutil.copytree(finished.path, clone.path, symlinks=True)
    clone.git("checkout", "--quiet", "-b", "proposal")
    ran = clone.dvc("exp", "run", "--name", "other", *PROPOSED)
    (clone.path.parent / "ran.txt").write_text("\n".join(ran))
    table = clone.quick("dvc", "exp", "show", "--csv").stdout
    (clone.path.parent / "experiments.csv").write_text(table)
    clone.commit("nin in place of slim_vgg, compared by log loss")


def make_once(factory, shims, name, make, *args):
    """Return a clone that one process of pytest-xdist makes for all."""
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    clone = Clone(root / name / "foldwise", shims)
    with FileLock(root / f"{name}.lock"):
        if not (root / name / "complete").exists():
            make(clone, *args)
            (root / name / "complete").touch()
    return clone


@pytest.fixture(scope="session")
def shims(dvc_process, tmp_path_factory):
    """Return environment variables by which stages and DVC start at once, as forks."""
    return dvc_process.make_shims(tmp_path_factory.mktemp("shims") / "bin")


@pytest.fixture(scope="session")
def finished(shims, tmp_path_factory):
    """Return a clone whose small comparison has run and is committed; a second run runs nothing."""
    return make_once(tmp_path_factory, shims, "finished", make_finished)


@pytest.fixture(scope="session")
def proposal(finished, shims, tmp_path_factory):
    """Return a clone on a branch with another candidate and metric, run and committed."""
    return make_once(tmp_path_factory, shims, "proposal", make_proposal, finished)


@pytest.fixture
def clone(finished, tmp_path):
    """Return a copy of the finished clone."""
    return finished.copy(tmp_path / "foldwise")


@pytest.fixture
def start(clone):
    """Return a function that starts a command in the clone; it ends with the test."""
    running = []

    def start(*command, **environment):
        running.append(clone.start(*command, **environment))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()
