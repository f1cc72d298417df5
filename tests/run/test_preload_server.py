"""The preload server and its commands, as real processes."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from foldwise.core.errors import InputError
from foldwise.core.preload import PRELOAD_SERVERS, Command, wait
from foldwise.run.preload_server import preload_server, start_command

ROOT = Path(__file__).parents[2]
LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="only Linux supports it")
SLOW_IMPORT = """import os
with open("imported.txt", "a") as file:
    print(os.getpid(), file=file)
"""
ECHO = """import os, sys
print(__name__, os.getcwd(), os.environ.get("X"), sys.argv[1:], sys.stdin.readline())
print("to stderr", file=sys.stderr)
"""
# The signal is blocked, so that it is never lost, however early it arrives.
WAIT = """import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
print("waits", flush=True)
sys.exit("terminated" if signal.sigtimedwait([signal.SIGTERM], 60) else "not terminated")
"""
EXIT = """import os, sys
status = int(sys.argv[1])
if status < 0:
    os.kill(os.getpid(), -status)
sys.exit(status)
"""
ENDS = """import atexit, json, os, sys, threading, time
class Loud:
    def __del__(self, write=os.write):
        write(1, b"freed ")
def work():
    time.sleep(0.2)
    os.write(1, b"thread ")
json.loud = Loud()
threading.Thread(target=work).start()
atexit.register(os.write, 1, b"handler ")
sys.stdout.reconfigure(line_buffering=False)
print("buffered", end="")
sys.exit({status})
"""
CLIENT = """import signal, sys
from foldwise.core.preload import Command
from foldwise.run.preload_server import preload_server, start_command
with preload_server(["slow_import"], signal.SIGTERM) as address:
    connection = start_command(address, Command("wait", [], ".", {}), (0, 1, 2))
    sys.stdin.read()
"""
# As on macOS, where each command imports for itself.
WITHOUT_FORK = """import sys
import foldwise.run.preload_server as server
server.PRELOADS = False
server.main()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return the working directory, with a few modules."""
    modules = {"slow_import": SLOW_IMPORT, "echo": ECHO, "wait": WAIT, "exit": EXIT}
    for name, text in modules.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Running:
    """A running command and its output."""

    def __init__(self, address, module, *args, text="", folder="", **environment):
        variables = {"PYTHONPATH": os.environ["PYTHONPATH"], **environment}
        stdin, to_stdin = os.pipe()
        from_stdout, stdout = os.pipe()
        command = Command(module, args, str(Path.cwd() / folder), variables)
        self.connection = start_command(address, command, (stdin, stdout, stdout))
        os.write(to_stdin, text.encode())
        for descriptor in (stdin, to_stdin, stdout):
            os.close(descriptor)
        self.output = os.fdopen(from_stdout)

    def result(self):
        """Wait for the end; return the output and the exit status."""
        with self.output, self.connection:
            return self.output.read(), wait(self.connection)


@pytest.fixture(params=["fork", "exec"])
def address(request, folder, monkeypatch):
    """Return the address of a server that ends commands by SIGTERM, on Linux and as on macOS."""
    if request.param == "exec":
        (folder / "without_fork.py").write_text(WITHOUT_FORK)
        popen = subprocess.Popen

        def start(command, **options):
            module = command.index("-m") + 1
            return popen([*command[:module], "without_fork", *command[module + 1 :]], **options)

        monkeypatch.setattr(subprocess, "Popen", start)
    with preload_server(["slow_import"], signal.SIGTERM) as address:
        assert Running(address, "exit", "0").result() == ("", 0)
        assert (folder / "imported.txt").exists() == (request.param == "fork")
        yield address


def test_a_command_runs_as_if_it_were_started_by_python(address, folder):
    (folder / "below").mkdir()
    command = Running(address, "echo", "--a", "b c", text="read", folder="below", X="y")
    output, status = command.result()
    lines = {f"__main__ {folder}/below y ['--a', 'b c'] read", "to stderr"}
    assert (set(output.splitlines()), status) == (lines, 0)


@LINUX_ONLY
def test_preloaded_modules_are_imported_once_and_run_without_a_warning(folder):
    """Also if a preloaded module itself runs, as stages.train does: runpy would warn."""
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").touch()
    (folder / "package" / "stage.py").write_text("import slow_import\nprint(__name__)\n")
    with preload_server(["package.stage"], signal.SIGTERM) as address:
        commands = [Running(address, "package.stage") for _ in range(3)]
        assert [command.result() for command in commands] == [("__main__\n", 0)] * 3
    assert len((folder / "imported.txt").read_text().splitlines()) == 1


def test_a_long_temporary_folder_is_no_problem(folder, monkeypatch):
    """The path of a socket has a limit of about 100 bytes."""
    long = folder / ("x" * 150)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    with preload_server([], signal.SIGTERM) as address:
        assert Path(address).parent.stat().st_mode & 0o777 == 0o700
        assert Running(address, "exit", "0").result() == ("", 0)
    assert not Path(address).parent.exists()


def test_streams_are_those_of_the_client_even_if_the_server_prints_to_a_file(address, folder):
    """An object of the server would seek in a pipe."""
    text = "import sys; sys.stdout.reconfigure(errors='backslashreplace'); print('done')"
    (folder / "reconfigure.py").write_text(text)
    assert Running(address, "reconfigure").result() == ("done\n", 0)


def test_a_command_that_fails_prints_its_own_error(address, folder):
    (folder / "fails.py").write_text("raise SystemExit('error: its own')")
    (folder / "raises.py").write_text("1 / 0")
    assert Running(address, "fails").result() == ("error: its own\n", 1)
    output, status = Running(address, "raises").result()
    assert output.endswith("ZeroDivisionError: division by zero\n")
    assert status == 1
    assert Running(address, "exit", "-9").result() == ("", -signal.SIGKILL)
    assert Running(address, "no_such_module").result()[1] == 1


def test_a_command_ends_with_its_connection_and_others_go_on(address):
    commands = [Running(address, "wait") for _ in range(2)]
    for command in commands:
        assert command.output.readline() == "waits\n"
    commands[0].connection.shutdown(socket.SHUT_WR)
    assert commands[0].result() == ("terminated\n", 1)
    assert Running(address, "exit", "0").result() == ("", 0)
    commands[1].connection.close()
    with commands[1].output as output:
        assert output.read() == "terminated\n"


@LINUX_ONLY
@pytest.mark.parametrize("status", [0, 3])
def test_a_command_ends_its_threads_and_handlers_and_does_not_free_its_objects(folder, status):
    (folder / "ends.py").write_text(ENDS.format(status=status))
    with preload_server([], signal.SIGTERM) as address:
        output, ended = Running(address, "ends").result()
    assert (output.split(), ended) == (["thread", "handler", "buffered"], status)


@LINUX_ONLY
def test_server_and_commands_end_with_a_killed_client(folder):
    with subprocess.Popen(
        [sys.executable, "-c", CLIENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as client:
        assert client.stdout.readline() == "waits\n"
        client.kill()
        # The pipe is closed: all processes have ended, the server among them.
        assert client.stdout.read() == "terminated\n"
    assert (folder / "imported.txt").exists()


def test_a_server_that_has_ended_is_one_error_line(folder):
    (folder / "broken.py").write_text("raise SystemExit(3)")
    with preload_server(["broken"], signal.SIGTERM) as address:
        assert Running(address, "exit", "0").result() == ("", None)
        with pytest.raises(InputError, match=r"preload server .*; run the same command again"):
            start_command(address, Command("exit", ["0"], ".", {}), (0, 1, 2))


def delegate(address, module, *args):
    """Start a process that delegates its command line to a server."""
    code = f"from foldwise.core.preload import delegate; delegate({module!r})"
    return subprocess.Popen(
        [sys.executable, "-c", code, *args],
        env={**os.environ, PRELOAD_SERVERS: json.dumps({module: address})},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.usefixtures("folder")
def test_a_delegating_process_ends_as_its_command_does_and_takes_it_along():
    with preload_server([], signal.SIGTERM) as address:
        processes = {status: delegate(address, "exit", str(status)) for status in (0, 3, -15)}
        for status, process in processes.items():
            with process:
                assert process.wait(60) == status
        with delegate(address, "wait") as process:
            assert process.stdout.readline() == "waits\n"
            process.kill()
            assert process.stdout.read() == ""  # the command has ended, too: it had this pipe


@pytest.mark.usefixtures("folder")
def test_a_killed_command_is_one_error_line_with_the_remedy(capfd):
    """The system kills a process if the memory is full; the process itself cannot say why."""
    with preload_server([], signal.SIGTERM) as address, delegate(address, "exit", "-9") as process:
        assert process.wait(60) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("error: exit was killed")
    assert "--jobs" in line
