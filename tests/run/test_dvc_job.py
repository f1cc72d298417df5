"""A child that runs DVC. What stands for DVC here shows what DVC, being quick, does not."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WRITES = """import sys
print("writes", flush=True)
sys.stdin.readline()
print("wrote", sys.argv[1:], flush=True)
"""
RUNS = """import subprocess
print(subprocess.run(["sh", "-c", "echo runs; exec sleep 600"]).returncode, flush=True)
print(subprocess.run(["sleep", "600"]).returncode, flush=True)
"""


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a child whose DVC does what a text says."""
    running = []

    def start(text):
        (tmp_path / "dvc").mkdir(exist_ok=True)
        (tmp_path / "dvc" / "__init__.py").touch()
        (tmp_path / "dvc" / "__main__.py").write_text(text)
        running.append(
            subprocess.Popen(
                [sys.executable, "-m", "foldwise.run.dvc_job", "repro", "x"],
                env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        )
        return running[-1]

    yield start
    for process in running:
        with contextlib.suppress(ProcessLookupError):  # all of it has ended
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_told_to_end_dvc_finishes_what_it_writes(start):
    child = start(WRITES)
    assert child.stdout.readline() == "writes\n"
    child.terminate()
    assert child.communicate("\n", timeout=60)[0] == "wrote ['repro', 'x']\n"
    assert child.returncode == 0


def test_told_to_end_what_dvc_runs_is_ended_and_what_it_runs_later(start):
    child = start(RUNS)
    assert child.stdout.readline() == "runs\n"
    child.terminate()
    assert child.communicate(timeout=60)[0] == "-15\n-15\n"
