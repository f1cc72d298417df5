"""The state of a clone after parallel trainings, and how to wait for processes."""

import contextlib
import json
import shutil
import time
from pathlib import Path

import yaml

COMMAND = ("python", "-m", "foldwise.cli.main", "run")
PATIENCE_SECONDS = 400  # for what takes a few seconds on an idle machine


def forget_trainings(clone, model=""):
    """Remove lock entries, outputs and run-cache of the trainings of one model or of all."""
    path = clone.path / "dvc.lock"
    lock = yaml.safe_load(path.read_text())
    stages = {key: stage for key, stage in lock["stages"].items() if f"train@{model}" not in key}
    path.write_text(yaml.safe_dump(lock | {"stages": stages}, sort_keys=False))
    for folder in (f"data/runs/{model}", f"reports/folds/{model}", ".dvc/cache/runs"):
        shutil.rmtree(clone.path / folder)


def trainings(clone, model=""):
    """Return the lock entries of trainings without their records, which contain run times."""
    stages = yaml.safe_load((clone.path / "dvc.lock").read_text())["stages"]
    matched = {key: stage for key, stage in stages.items() if key.startswith(f"train@{model}")}
    for stage in matched.values():
        stage["outs"] = [out for out in stage["outs"] if out["path"].startswith("data/runs")]
    return matched


def run_cache_keys(clone, model=""):
    """Return the keys by which DVC finds earlier trainings."""
    entries = {path.parent.name: path for path in (clone.path / ".dvc/cache/runs").glob("*/*/*")}
    part = f"data/runs/{model}"
    return {key for key, path in entries.items() if part in path.read_text()}


def results(clone, model=""):
    """Return the predictions, and the fold records without run times."""
    found = {}
    for name, content in clone.files().items():
        if name.startswith(f"data/runs/{model}") and name.endswith(".npz"):
            found[name] = content
        elif name.startswith(f"reports/folds/{model}"):
            found[name] = {**json.loads(content), "timing": None}
    return found


def processes(folder, module):
    """Return the IDs of the processes that run a module in a folder or below it."""
    matched = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            words = (process / "cmdline").read_bytes().split(b"\0")
            cwd = (process / "cwd").readlink()
            if [b"-m", module] == words[1:3] and cwd.is_relative_to(folder.resolve()):
                matched.append(int(process.name))
    return matched


def wait_until(condition):
    """Wait until a function returns something true, and return it."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (value := condition()):
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)
    return value
