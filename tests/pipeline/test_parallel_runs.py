"""Folds trained side by side by real runs of DVC, to the end and not."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from clone import ROOT, ran
from filelock import FileLock

JOBS = str(min(2, len(os.sched_getaffinity(0))))
COMMAND = ("python", "-m", "stages.parallel", "--params", "params.yaml")
# As SLURM's, but for the queue: a copy of the script elsewhere, one task after the other.
SBATCH = """#!/usr/bin/env bash
set -e
[[ $1 = --wait ]]
range=${2#--array=}
script=$(mktemp)
trap 'rm "$script"' EXIT
cp "$3" "$script"
for task in $(seq "${range%-*}" "${range#*-}"); do
  SLURM_ARRAY_TASK_ID=$task bash "$script" "${@:4}"
done
"""
PATIENCE = 120  # seconds for what takes a few


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


def trainers(clone):
    """Return the trainings that run in a clone."""
    return processes(clone, b"stages.train")


def processes(clone, module):
    """Return the numbers of the processes in a clone that run a module."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            words = (process / "cmdline").read_bytes().split(b"\0")
            if module in words and (process / "cwd").readlink() == clone.path.resolve():
                found.append(int(process.name))
    return found


def dvc_children(clone):
    """Return what DVC was started for the command and still runs."""
    return processes(clone, b"stages.parallel.child")


def wait_until(true):
    """Wait until something is true, and return it."""
    end = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


@pytest.fixture
def start(clone):
    """Return a function that starts a command in the clone, with its output in a file."""
    running = []

    def start(*command, **environment):
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        env = {"PATH": path, "HOME": str(clone.path.parent), "LANG": "C.UTF-8", **environment}
        with (clone.path.parent / "output").open("w") as output:
            running.append(
                subprocess.Popen(
                    command, cwd=clone.path, env=env, stdout=output, stderr=subprocess.STDOUT
                )
            )
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


def said(clone):
    return (clone.path.parent / "output").read_text()


def test_side_by_side_is_as_one_by_one(clone):
    expected, keys, lock = results(clone), earlier_runs(clone), trainings(clone)
    forget_trainings(clone)
    done = clone.run(*COMMAND, "--jobs", JOBS)
    assert done.returncode == 0, done.stderr
    assert "parallel: 4 stale trainings" in done.stdout
    assert re.findall(r"^\[(\d)/4\] train: ", done.stderr, re.MULTILINE) == ["1", "2", "3", "4"]
    assert results(clone) == expected
    assert earlier_runs(clone) == keys
    assert trainings(clone) == lock
    assert clone.dvc("repro") == []


def test_what_was_trained_once_is_taken_from_the_cache(clone):
    shutil.rmtree(clone.path / "data/runs/lenet5")
    done = clone.run(*COMMAND, "--jobs", JOBS)
    assert "parallel: 2 stale trainings" in done.stdout
    assert done.stderr.count("is cached - skipping run") == 2
    assert clone.git("status", "--porcelain") == ""


def test_a_fold_that_fails_stops_no_other_and_no_comparison_follows(clone):
    """The cause is real: somebody else trains that fold now."""
    forget_trainings(clone)
    (clone.path / "reports/report.md").unlink()
    lock = clone.path / "data/runs/lenet5/0-0.lock"
    lock.parent.mkdir(parents=True)
    with FileLock(lock):
        done = clone.run(*COMMAND, "--jobs", JOBS)
    assert done.returncode == 1
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert error.startswith(
        "error: train@lenet5-0-0: data/runs/lenet5/0-0: another training writes"
    )
    log = re.search(r"all of it in (\S+)\)", error)[1]
    assert "exited with 1" in (clone.path / log).read_text()
    assert len(trainings(clone)) == 3
    assert not (clone.path / "reports/report.md").exists()
    done = clone.run(*COMMAND, "--jobs", JOBS)
    assert done.returncode == 0
    assert "parallel: 1 stale training," in done.stdout
    assert (clone.path / "reports/report.md").exists()


def test_killed_it_leaves_no_training_and_a_second_call_goes_on(clone, start):
    clone.change_params(train={"epochs": 200})
    command = start(*COMMAND, "--jobs", "1")
    wait_until(lambda: re.search(r"^\[1/4\]", said(clone), re.MULTILINE))
    wait_until(lambda: trainers(clone))
    command.kill()
    command.wait()
    wait_until(lambda: not dvc_children(clone) and not trainers(clone))
    done = clone.run(*COMMAND, "--jobs", JOBS)
    assert done.returncode == 0
    assert "parallel: 3 stale trainings" in done.stdout
    assert clone.dvc("repro") == []


def test_interrupted_it_leaves_no_training(clone, start):
    clone.change_params(train={"epochs": 100_000})
    command = start(*COMMAND, "--jobs", JOBS)
    wait_until(lambda: len(trainers(clone)) == int(JOBS))
    command.send_signal(signal.SIGINT)
    assert command.wait(PATIENCE) == 1
    assert trainers(clone) == []
    assert "interrupted; run it again" in said(clone)
    assert "Traceback" not in said(clone)


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
def test_a_killed_dvc_takes_its_training_along(clone, start, shell):
    clone.change_params(train={"epochs": 100_000})
    clone.dvc("repro", "--quiet", "forecast")
    dvc = start("dvc", "repro", "--single-item", "train@lenet5-0-0", SHELL=shell)
    wait_until(lambda: ": epoch 1 of" in said(clone))
    assert trainers(clone)
    dvc.kill()
    wait_until(lambda: not trainers(clone))


def test_the_script_of_the_job_array_is_clean_and_can_be_run():
    script = ROOT / "stages/parallel/slurm.sh"
    assert os.access(script, os.X_OK)
    done = subprocess.run(
        [shutil.which("shellcheck"), script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_a_job_array_trains_one_stale_fold_a_task(clone):
    forget_trainings(clone, "lenet5")
    done = clone.run(*COMMAND, "--list", ".dvc/tmp/stale.txt")
    assert done.stdout.endswith("parallel: 2 stale trainings -> .dvc/tmp/stale.txt\n")
    sbatch = clone.path.parent / "bin" / "sbatch"
    sbatch.parent.mkdir()
    sbatch.write_text(SBATCH)
    sbatch.chmod(0o755)
    script = ("stages/parallel/slurm.sh", ".dvc/tmp/stale.txt")
    path = f"{sbatch.parent}:{Path(sys.executable).parent}:/usr/bin:/bin"
    done = clone.run("sbatch", "--wait", "--array=1-2", *script, PATH=path)
    assert ran(done) == ["train@lenet5-0-0", "train@lenet5-0-1"], done.stderr
    done = clone.run("sbatch", "--wait", "--array=3-3", *script, PATH=path)
    assert done.returncode == 1
    assert done.stderr == "error: .dvc/tmp/stale.txt has no line 3; take --array=1-2\n"
    assert not [stage for stage in clone.dvc("repro") if "train" in stage]
    done = clone.run(*COMMAND, "--list", ".dvc/tmp/stale.txt")
    assert done.stdout.endswith("parallel: nothing is stale -> .dvc/tmp/stale.txt\n")
    assert (clone.path / ".dvc/tmp/stale.txt").read_text() == ""
