"""Every stage ends with DVC and can start in a preloaded process: it begins in the same way."""

import ast
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_replaces_the_shell_and_sets_itself_up_before_slow_imports(stage):
    assert re.match(rf"exec python -m stages\.{stage} --", STAGES[stage]["cmd"])
    body = ast.parse((ROOT / f"stages/{stage}.py").read_text()).body
    _, imported, guarded, *_ = body
    assert ast.unparse(imported) == "from foldwise.core.preload import start_stage"
    assert f"start_stage('stages.{stage}')" in ast.unparse(guarded)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux supports it")
@pytest.mark.parametrize(
    "stage",
    [
        pytest.param(stage, marks=() if stage in ("prepare", "build") else pytest.mark.slow)
        for stage in STAGES
    ],
)
def test_a_stage_ends_when_the_process_that_started_it_is_killed(stage):
    """The stage is stopped during its imports, so that it cannot end by itself."""
    command = [sys.executable, "-m", f"stages.{stage}"]
    code = f"import subprocess; print(subprocess.Popen({command}).pid, flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, **pipes) as parent:
        process = Path("/proc", parent.stdout.readline().decode().strip())
        wait_until(lambda: "pydantic_core" in (process / "maps").read_text())
        os.kill(int(process.name), signal.SIGSTOP)
        parent.kill()
        wait_until(lambda: not process.exists() or is_zombie(process))


def is_zombie(process):
    return (process / "stat").read_text().rpartition(")")[2].split()[0] == "Z"


def wait_until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
