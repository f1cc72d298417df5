"""A forker and its jobs, which are real processes."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from foldwise.core.errors import InputError
from foldwise.core.preload import PRELOAD_ADDRESS, Command, wait
from foldwise.run import preload_client

ROOT = Path(__file__).parents[2]
LOADED = """import os
with open("loaded.txt", "a") as file:
    print(os.getpid(), file=file)
"""
SAYS = """import loaded, os, sys
print(__name__, os.getcwd(), os.environ.get("X"), sys.argv[1:], sys.stdin.readline())
print("wrong", file=sys.stderr)
"""
WAITS = """import loaded, signal, sys, time
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit("told to end"))
print("waits", flush=True)
time.sleep(600)
"""
ENDS = """import os, sys
status = int(sys.argv[1])
if status < 0:
    os.kill(os.getpid(), -status)
sys.exit(status)
"""
OWNER = """import signal, sys, time
from foldwise.core.preload import Command
from foldwise.run.preload_client import preload_server, start_command
with preload_server(["loaded"], signal.SIGTERM) as address:
    connection = start_command(address, Command("waits", [], ".", {}), (0, 1, 2))
    time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with a few modules, in which this process is meanwhile."""
    for name, text in {"loaded": LOADED, "says": SAYS, "waits": WAITS}.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Running:
    """A job, and what it prints."""

    def __init__(self, address, *words, text="", by="", **environment):
        module, *rest = words
        own = {"PYTHONPATH": os.environ["PYTHONPATH"], **environment}
        given, giver = os.pipe()
        self.reader, writer = os.pipe()
        job = Command(module, rest, str(Path.cwd() / by), own)
        self.connection = preload_client.start_command(address, job, (given, writer, writer))
        os.write(giver, text.encode())
        for one in (given, giver, writer):
            os.close(one)
        self.printed = os.fdopen(self.reader)

    def end(self):
        """Return all that it printed, and its status."""
        with self.printed, self.connection:
            return self.printed.read(), wait(self.connection)


@pytest.fixture(params=[True, False], ids=["loaded once", "loaded by each"])
def address(request, folder, monkeypatch):
    """Return the address of a forker that ends jobs by SIGTERM, on Linux and as if elsewhere."""
    if not request.param:
        own = folder / "stages_elsewhere.py"
        own.write_text("import foldwise.run.preload_server as f; f.LOADS = False; f.main()")
        popen = subprocess.Popen

        def elsewhere(command, **keywords):
            words = ["stages_elsewhere" if "forks" in word else word for word in command]
            return popen(words, **keywords)

        monkeypatch.setattr(preload_client.subprocess, "Popen", elsewhere)
    with preload_client.preload_server(
        ["loaded"] if request.param else [], signal.SIGTERM
    ) as address:
        yield address


def test_a_job_is_as_if_started_by_itself(address, folder):
    (folder / "below").mkdir()
    job = Running(address, "says", "--a", "b c", text="read", by="below", X="y")
    said, status = job.end()
    printed = {f"__main__ {folder}/below y ['--a', 'b c'] read", "wrong"}
    assert (set(said.splitlines()), status) == (printed, 0)


def test_what_is_loaded_is_loaded_once(folder):
    with preload_client.preload_server(["loaded"], signal.SIGTERM) as address:
        for job in [Running(address, "says") for _ in range(3)]:
            assert job.end()[1] == 0
    assert len((folder / "loaded.txt").read_text().splitlines()) == 1


def test_a_job_that_fails_says_so_itself(address, folder):
    (folder / "fails.py").write_text("raise SystemExit('error: its own')")
    (folder / "raises.py").write_text("1 / 0")
    (folder / "dies.py").write_text("import os; os.kill(os.getpid(), 9)")
    assert Running(address, "fails").end() == ("error: its own\n", 1)
    said, status = Running(address, "raises").end()
    assert said.endswith("ZeroDivisionError: division by zero\n")
    assert status == 1
    assert Running(address, "dies").end() == ("", -signal.SIGKILL)
    assert Running(address, "no_such_module").end()[1] == 1


def test_a_job_is_ended_by_the_signal_when_nobody_waits(address):
    job = Running(address, "waits")
    assert job.printed.readline() == "waits\n"
    job.connection.shutdown(socket.SHUT_WR)
    assert job.end() == ("told to end\n", 1)


def test_a_job_goes_on_while_others_start_and_end(address):
    job = Running(address, "waits")
    assert job.printed.readline() == "waits\n"
    assert Running(address, "says").end()[1] == 0
    job.connection.close()
    with job.printed:
        assert job.printed.read() == "told to end\n"


@pytest.mark.skipif(sys.platform != "linux", reason="what only Linux promises")
def test_jobs_and_forker_end_with_who_wanted_them(folder):
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert owner.stdout.readline() == "waits\n"
    owner.kill()
    # All who could write to the pipe have ended, the forker among them.
    assert owner.communicate(timeout=60)[0] == "told to end\n"
    assert (folder / "loaded.txt").exists()


def test_a_forker_that_ended_is_one_line(folder):
    (folder / "broken.py").write_text("raise SystemExit(3)")
    with preload_client.preload_server(["broken"], signal.SIGTERM) as address:
        assert Running(address, "says").end() == ("", None)
        with pytest.raises(InputError, match="what ran there has ended"):
            preload_client.start_command(address, Command("says", [], ".", {}), (0, 1, 2))


def hand_over(address, module, *words):
    """Start a process that hands over to a forker."""
    call = f"from foldwise.core.preload import hand_over; hand_over({module!r})"
    return subprocess.Popen(
        [sys.executable, "-c", call, *words],
        env={**os.environ, PRELOAD_ADDRESS: address},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("status", [0, 3, -15])
def test_who_hands_over_ends_as_what_ran_in_its_place(folder, status):
    (folder / "ends.py").write_text(ENDS)
    with (
        preload_client.preload_server([], signal.SIGKILL) as address,
        hand_over(address, "ends", str(status)) as one,
    ):
        assert one.wait(60) == status


@pytest.mark.usefixtures("folder")
def test_who_hands_over_and_is_killed_takes_the_job_along():
    with (
        preload_client.preload_server([], signal.SIGTERM) as address,
        hand_over(address, "waits") as process,
    ):
        assert process.stdout.readline() == "waits\n"
        process.kill()
        assert process.stdout.read() == ""  # all who could write to the pipe have ended
