"""Folds trained side by side by real runs of DVC, to the end and not."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from clone import ROOT, ran
from filelock import FileLock
from trainings import (
    COMMAND,
    PATIENCE,
    earlier_runs,
    forget_trainings,
    processes,
    results,
    trainings,
    wait_until,
)

JOBS = str(min(2, len(os.sched_getaffinity(0))))
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


def trainers(clone):
    """Return the trainings that run in a clone."""
    return processes(clone.path, b"stages.train")


def forks(clone):
    """Return the processes that have DVC or PyTorch loaded, DVC and trainings in forks of them."""
    return processes(clone.path, b"foldwise.run.preload_server")


@pytest.fixture
def heeding_interrupts():
    """What a shell starts in the background ignores them, and so would all that starts from it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def said(clone):
    return clone.output.read_text()


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


def test_dvc_and_pytorch_are_loaded_once_for_all_trainings(clone):
    forget_trainings(clone, "lenet5")
    done = clone.run(*COMMAND, "--jobs", JOBS, PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0, done.stderr
    logs = list((clone.path / ".dvc/tmp/parallel").glob("train@lenet5-*.log"))
    assert len(logs) == 2
    lines = [line for log in logs for line in log.read_text().splitlines()]
    imported = {line.split("|")[-1].strip() for line in lines if line.startswith("import time:")}
    assert "foldwise.core.preload" in imported  # by what hands over to a fork
    assert not {"torch", "numpy", "dvc.repo", "dvc.stage"} & imported


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
    wait_until(lambda: not forks(clone) and not trainers(clone))
    done = clone.run(*COMMAND, "--jobs", JOBS)
    assert done.returncode == 0
    assert "parallel: 3 stale trainings" in done.stdout
    assert clone.dvc("repro") == []


@pytest.mark.usefixtures("heeding_interrupts")
def test_interrupted_it_leaves_no_training(clone, start):
    clone.change_params(train={"epochs": 100_000})
    command = start(*COMMAND, "--jobs", JOBS)
    wait_until(lambda: len(trainers(clone)) == int(JOBS))
    command.send_signal(signal.SIGINT)
    assert command.wait(PATIENCE) == 1
    assert trainers(clone) == []
    wait_until(lambda: not forks(clone))
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
    script = ROOT / "foldwise/run/slurm.sh"
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
    script = ("foldwise/run/slurm.sh", ".dvc/tmp/stale.txt")
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
