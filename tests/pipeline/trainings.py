"""What one finds in a clone in which trainings ran side by side, and how to wait for them."""

import contextlib
import json
import shutil
import time
from pathlib import Path

import yaml

COMMAND = ("python", "-m", "foldwise.cli.main", "run")
PATIENCE = 400  # seconds for what takes a few, where the machine has much else to do


def forget_trainings(clone, model=""):
    """Let DVC know nothing of trainings, of one model or all: lock, outputs and earlier runs."""
    lock = clone.path / "dvc.lock"
    content = yaml.safe_load(lock.read_text())
    kept = {name: one for name, one in content["stages"].items() if f"train@{model}" not in name}
    lock.write_text(yaml.safe_dump(content | {"stages": kept}, sort_keys=False))
    for folder in (f"data/runs/{model}", f"reports/folds/{model}", ".dvc/cache/runs"):
        shutil.rmtree(clone.path / folder)


def trainings(clone):
    """Return what dvc.lock says of the trainings, records apart: they hold times."""
    stages = yaml.safe_load((clone.path / "dvc.lock").read_text())["stages"]
    found = {name: stage for name, stage in stages.items() if name.startswith("train@")}
    for stage in found.values():
        stage["outs"] = [out for out in stage["outs"] if out["path"].startswith("data/runs")]
    return found


def earlier_runs(clone):
    """Return the keys by which DVC finds earlier trainings again."""
    cached = (clone.path / ".dvc/cache/runs").glob("*/*/*")
    return {path.parent.name for path in cached if "stages.train" in path.read_text()}


def results(clone):
    """Return predictions, and records without times."""
    files = clone.files()
    found = {name: content for name, content in files.items() if name.endswith(".npz")}
    for name, content in files.items():
        if name.startswith("reports/folds/"):
            found[name] = {**json.loads(content), "timing": None}
    return found


def processes(folder, module):
    """Return the numbers of the processes at work in a folder or below it that run a module."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            words = (process / "cmdline").read_bytes().split(b"\0")
            at = (process / "cwd").readlink()
            if module in words and at.is_relative_to(folder.resolve()):
                found.append(int(process.name))
    return found


def wait_until(true):
    """Wait until something is true, and return it."""
    end = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found
