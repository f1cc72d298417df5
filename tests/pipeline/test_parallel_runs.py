"""Parallel trainings by real runs of DVC: finished, failed, interrupted and killed."""

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
    PATIENCE_SECONDS,
    forget_trainings,
    processes,
    results,
    run_cache_keys,
    trainings,
    wait_until,
)

JOBS = str(min(2, len(os.sched_getaffinity(0))))
# Like SLURM's sbatch without a queue: a copy of the script, one task after the other.
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
    """Return the processes of running trainings."""
    return processes(clone.path, b"stages.train")


def servers(clone):
    """Return the preload servers of DVC and of PyTorch, and their forks."""
    return processes(clone.path, b"foldwise.run.preload_server")


def make_sbatch(folder):
    """Return a function that runs the job array in a clone, with a script in place of SLURM."""
    folder.mkdir()
    (folder / "sbatch").write_text(SBATCH)
    (folder / "sbatch").chmod(0o755)
    path = f"{folder}:{Path(sys.executable).parent}:/usr/bin:/bin"

    def sbatch(clone, array):
        script = ("foldwise/run/slurm.sh", ".dvc/tmp/stale.txt")
        return clone.run("sbatch", "--wait", array, *script, PATH=path)

    return sbatch


@pytest.fixture
def obey_sigint():
    """A shell lets background processes ignore SIGINT, and children inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def output(clone):
    return clone.output.read_text()


def test_parallel_trainings_give_the_same_results_and_import_dvc_and_pytorch_once(clone):
    expected = results(clone), run_cache_keys(clone, "lenet5"), trainings(clone)
    forget_trainings(clone, "lenet5")
    result = clone.run(*COMMAND, "--jobs", JOBS, PYTHONPROFILEIMPORTTIME="1")
    assert result.returncode == 0, result.stderr
    assert "run: 2 stale trainings" in result.stdout
    assert re.findall(r"^\[(\d)/2\] train: ", result.stderr, re.M) == ["1", "2"]
    assert (results(clone), run_cache_keys(clone, "lenet5"), trainings(clone)) == expected

    logs = list((clone.path / ".dvc/tmp/parallel").glob("train@*.log"))
    assert len(logs) == 2
    lines = [line for log in logs for line in log.read_text().splitlines()]
    imported = {line.split("|")[-1].strip() for line in lines if line.startswith("import time:")}
    assert "foldwise.core.preload" in imported  # by the process that delegates to a fork
    assert not {"torch", "numpy", "dvc.repo", "dvc.stage"} & imported
    assert not [line for line in lines if "Warning" in line]


@pytest.mark.slow
def test_trainings_whose_outputs_were_removed_come_from_the_cache(clone):
    expected = results(clone)
    shutil.rmtree(clone.path / "data/runs/lenet5")
    result = clone.run(*COMMAND, "--jobs", JOBS)
    assert "run: 2 stale trainings" in result.stdout
    assert result.stderr.count("is cached - skipping run") == 2
    assert results(clone) == expected


@pytest.mark.slow
def test_a_failed_fold_stops_no_other_and_a_job_array_trains_what_is_left(clone):
    """The failure is real: another process holds the lock of a fold."""
    forget_trainings(clone)
    (clone.path / "reports/report.md").unlink()
    lock = clone.path / "data/runs/lenet5/0-0.lock"
    lock.parent.mkdir(parents=True)
    with FileLock(lock):
        result = clone.run(*COMMAND, "--jobs", JOBS)
    assert result.returncode == 1
    (error,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert error.startswith("error: train@lenet5-0-0: data/runs/lenet5/0-0: another ")
    log = re.search(r"see (\S+)\)", error)[1]
    assert "exited with 1" in (clone.path / log).read_text()
    assert len(trainings(clone)) == 3
    assert not (clone.path / "reports/report.md").exists()

    stale = clone.path / ".dvc/tmp/stale.txt"
    result = clone.run(*COMMAND, "--list", ".dvc/tmp/stale.txt")
    assert result.stdout.endswith("run: 1 stale training -> .dvc/tmp/stale.txt\n")
    assert stale.read_text() == "train@lenet5-0-0\n"
    sbatch = make_sbatch(clone.path.parent / "bin")
    result = sbatch(clone, "--array=2-2")
    assert result.returncode == 1
    assert result.stderr == "error: .dvc/tmp/stale.txt has no line 2; use --array=1-1\n"
    result = sbatch(clone, "--array=1-1")
    assert ran(result) == ["train@lenet5-0-0"], result.stderr

    result = clone.run(*COMMAND, "--list", ".dvc/tmp/stale.txt")
    assert result.stdout.endswith("run: no stale trainings -> .dvc/tmp/stale.txt\n")
    assert stale.read_text() == ""
    result = clone.run(*COMMAND, "--jobs", JOBS)
    assert result.returncode == 0, result.stderr
    assert (clone.path / "reports/report.md").exists()


@pytest.mark.slow
def test_killed_it_leaves_no_training_and_a_second_run_continues(clone, start):
    clone.change_params(train={"epochs": 200})
    command = start(*COMMAND, "--jobs", JOBS)
    wait_until(lambda: re.search(r"^\[1/4\]", output(clone), re.M))
    wait_until(lambda: trainers(clone))
    command.kill()
    command.wait()
    wait_until(lambda: not servers(clone) and not trainers(clone))
    result = clone.run(*COMMAND, "--jobs", JOBS)
    assert result.returncode == 0, result.stderr
    assert re.search("^run: [23] stale trainings", result.stdout, re.M)
    assert clone.dvc("repro") == []


@pytest.mark.slow
def test_other_parameters_in_between_stop_the_run(clone, start):
    """As by `dvc exp run`, which finds that DVC is busy only after it has changed params.yaml."""
    clone.change_params(train={"epochs": 200})
    clone.commit("longer")
    command = start(*COMMAND, "--jobs", JOBS)
    logs = clone.path / ".dvc/tmp/parallel"
    begun = "epoch 1 of 200"
    wait_until(lambda: sum(begun in log.read_text() for log in logs.glob("*")) == int(JOBS))
    clone.change_params(train={"epochs": 1})
    assert command.wait(PATIENCE_SECONDS) == 1
    errors = [line for line in output(clone).splitlines() if line.startswith("error: ")]
    assert len(errors) >= int(JOBS)
    assert all("params.yaml has changed" in line for line in errors)
    clone.git("checkout", "params.yaml")
    result = clone.run(*COMMAND, "--jobs", JOBS)
    assert result.returncode == 0, result.stderr
    assert re.search("^run: 4 stale trainings", result.stdout, re.M)
    assert all("epoch 200 of 200" in log.read_text() for log in logs.glob("*"))


@pytest.mark.slow
@pytest.mark.usefixtures("obey_sigint")
def test_interrupted_or_killed_dvc_leaves_no_training(clone, start):
    clone.change_params(train={"epochs": 10_000})
    command = start(*COMMAND, "--jobs", JOBS)
    wait_until(lambda: len(trainers(clone)) == int(JOBS))
    command.send_signal(signal.SIGINT)
    assert command.wait(PATIENCE_SECONDS) == 1
    assert trainers(clone) == []
    wait_until(lambda: not servers(clone))
    assert output(clone).count("interrupted; run the same command again") == 1
    assert "Traceback" not in output(clone)

    for shell in ("/bin/sh", "/bin/bash"):
        dvc = start("dvc", "repro", "--single-item", "train@lenet5-0-0", SHELL=shell)
        wait_until(lambda: ": epoch 1 of" in output(clone))
        assert trainers(clone)
        dvc.kill()
        dvc.wait()
        wait_until(lambda: not trainers(clone))


def test_the_script_of_the_job_array_is_executable_and_clean():
    script = ROOT / "foldwise/run/slurm.sh"
    assert os.access(script, os.X_OK)
    command = [shutil.which("shellcheck"), script]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "")
