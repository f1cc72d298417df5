import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BOUND = """
import sys, time
from foldwise.core.process import die_with_parent
die_with_parent()
print("bound", flush=True)
time.sleep(60)
"""
# Its child outlives it, if nothing ends it; and keeps the other end of the pipe open until then.
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what only Linux promises")


def start(*command):
    return subprocess.Popen(
        [sys.executable, "-c", *command], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def test_a_process_ends_with_its_parent():
    parent = start(PARENT, BOUND)
    assert parent.stdout.readline() == "bound\n"
    parent.send_signal(signal.SIGKILL)
    assert parent.communicate(timeout=60)[0] == ""  # all who could write to the pipe have ended
    assert parent.returncode == -signal.SIGKILL


def bound_to(parent):
    call = f"from foldwise.core.process import die_with_parent; die_with_parent({parent})"
    return subprocess.run([sys.executable, "-c", call], cwd=ROOT, check=False).returncode


def test_a_process_whose_parent_has_ended_does_not_begin():
    assert bound_to(parent=os.getpid()) == 0
    assert bound_to(parent=1) == 1


STARTED = "from foldwise.core.preload import start_stage; start_stage('stages.x')"
BUSY = """
print("busy", flush=True)
while True:
    pass
"""


@pytest.mark.parametrize("stream", [subprocess.PIPE, subprocess.STDOUT])
def test_ctrl_c_is_one_line(stream):
    command = [sys.executable, "-c", f"{STARTED}\n{BUSY}"]
    stage = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=stream, text=True, start_new_session=True
    )
    assert stage.stdout.readline() == "busy\n"
    os.killpg(stage.pid, signal.SIGINT)
    output, errors = stage.communicate(timeout=60)
    line = "error: interrupted; run the same command again to continue\n"
    assert output + (errors or "") == line
    assert stage.returncode == 128 + signal.SIGINT
