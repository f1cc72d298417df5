"""The process that runs DVC. A slow package replaces DVC, which is too fast to be interrupted."""

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
print(subprocess.run(["sh", "-c", "echo runs; exec sleep 60"]).returncode, flush=True)
print(subprocess.run(["sleep", "60"]).returncode, flush=True)
"""


@pytest.fixture
def start(tmp_path):
    """Return a function that starts the process with Python code in place of DVC."""
    running = []

    def start(code):
        serialize = tmp_path / "dvc" / "utils" / "serialize"
        serialize.mkdir(parents=True)
        for folder in (serialize, serialize.parent, tmp_path / "dvc"):
            (folder / "__init__.py").touch()
        names = "_dump_data = parse_yaml = parse_yaml_for_update = _dump = None"
        for module in ("_common", "_yaml"):
            (serialize / f"{module}.py").write_text(names)
        (tmp_path / "dvc" / "rwlock.py").write_text("_edit_rwlock = None")
        (tmp_path / "dvc" / "__main__.py").write_text(code)
        running.append(
            subprocess.Popen(
                [sys.executable, "-m", "foldwise.run.dvc_process", "repro", "x"],
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
        with contextlib.suppress(ProcessLookupError):  # all its processes have ended
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_on_sigterm_dvc_finishes_its_writing(start):
    job = start(WRITES)
    assert job.stdout.readline() == "writes\n"
    job.terminate()
    assert job.communicate("\n", timeout=60)[0] == "wrote ['repro', 'x']\n"
    assert job.returncode == 0


def test_on_sigterm_the_stages_of_dvc_end_the_running_and_the_later_ones(start):
    job = start(RUNS)
    assert job.stdout.readline() == "runs\n"
    job.terminate()
    assert job.communicate(timeout=60)[0] == "-15\n-15\n"
