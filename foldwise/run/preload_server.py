"""A process that has imported slow modules and runs every command in a fork of itself.

The server forks a supervisor for each command, and the supervisor forks the command itself. The
supervisor ends the command as soon as its client has ended; otherwise it reports the exit status.
"""

import argparse
import atexit
import gc
import importlib
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import NoReturn, TextIO

from foldwise.core.errors import InputError
from foldwise.core.preload import Command, receive, send, send_status
from foldwise.core.process import die_with_parent, tune_python

# On macOS, a fork may crash in system libraries: there, commands import modules for themselves.
PRELOADS = sys.platform == "linux"
BACKLOG = 128  # commands that may wait while modules are imported
# The kernel allows 103 bytes (macOS) or 107 bytes (Linux) for the path of a socket.
MAX_FOLDER_BYTES = 60
_status: list[int] = []  # in the fork of a command that has ended: its exit status


@contextmanager
def preload_server(modules: Sequence[str], stop_signal: signal.Signals) -> Iterator[str]:
    """Run a server while the context is open; yield the path of its socket.

    The server ends with this process, and so does every command that this process has started.

    Args:
        modules: Modules to import once for all commands, when the first client connects, in the
            order in which they are needed. Commands wait for all of several names with commas.
        stop_signal: Signal that ends a command whose client has ended.
    """
    folder = tempfile.gettempdir()
    if len(os.fsencode(folder)) > MAX_FOLDER_BYTES:
        folder = "/tmp"
    # The new folder has mode 0700: no other user can connect.
    with tempfile.TemporaryDirectory(prefix="foldwise-", dir=folder) as private:
        address = f"{private}/socket"
        server = [sys.executable, "-m", "foldwise.run.preload_server"]
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(address)
            listener.listen(BACKLOG)
            options = ["--parent", str(os.getpid()), "--listener", str(listener.fileno())]
            process = subprocess.Popen(
                [*server, *options, "--stop-signal", stop_signal.name, "--load", *modules],
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
        # The listener is closed here, so that a lost server refuses clients.
        try:
            yield address
        finally:
            process.kill()
            process.wait()


def start_command(address: str, command: Command, streams: Sequence[int]) -> socket.socket:
    """Start a command and return the connection, which receives the exit status.

    Shutting down the connection ends the command.

    Args:
        address: Socket of a preload server.
        command: The command to run.
        streams: Descriptors of its standard input, output and error.

    Raises:
        InputError: If the server has ended.
    """
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(address)
        send(connection, command, streams)
    except ConnectionError as error:
        connection.close()
        raise InputError(f"preload server {address}: {error}; run the same command again") from None
    return connection


def main(argv: Sequence[str] | None = None) -> None:
    """Import modules, then fork for every command until the parent ends."""
    parser = argparse.ArgumentParser(prog="python -m foldwise.run.preload_server")
    parser.add_argument("--parent", type=int, required=True, help="its process ID")
    parser.add_argument("--listener", type=int, required=True, help="descriptor of a socket")
    parser.add_argument("--stop-signal", type=signal.Signals.__getitem__, required=True)
    parser.add_argument("--load", nargs="*", default=[], help="modules to import")
    args = parser.parse_args(argv)
    die_with_parent(args.parent)
    tune_python()
    atexit.register(_end_at_once)  # the first that is registered is called last
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the supervisors
    with socket.socket(fileno=args.listener) as listener:
        select.select([listener], [], [])  # without a client, nothing is imported
        if PRELOADS:
            _load(args.load, listener, args.stop_signal)
        gc.freeze()  # a garbage collection in a fork would otherwise copy every page that it marks
        while True:
            _serve(listener, args.stop_signal)


def _load(names: Sequence[str], listener: socket.socket, stop_signal: signal.Signals) -> None:
    """Import modules; between them, run commands, which import for themselves what is missing."""
    stages = [name for name in names if name.startswith("stages.")]
    with _watch_imports(stages) if stages else nullcontext():
        for modules in names:
            for module in modules.split(","):
                importlib.import_module(module)
            while select.select([listener], [], [], 0)[0]:
                _serve(listener, stop_signal)


@contextmanager
def _watch_imports(stages: Sequence[str]) -> Iterator[None]:
    """Let the guard of the stages know what is imported in the context."""
    from foldwise.run.guard import read_code, remember_imports  # here: slow, and not for DVC

    code = read_code(stages)
    yield
    remember_imports(code)


def _end_at_once() -> None:
    """End a command that has done all it has to do, without freeing what the server imported.

    That would first copy the memory of the server: .8 s if DVC and torch are there.
    """
    if _status:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_status[0])


def _serve(listener: socket.socket, stop_signal: signal.Signals) -> None:
    """Run the command of the next client in a fork."""
    connection, _ = listener.accept()
    if os.fork() == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        listener.close()
        _supervise(connection, stop_signal)
    connection.close()


def _supervise(connection: socket.socket, stop_signal: signal.Signals) -> NoReturn:
    """Run a client's command; end it if the client ends, else send its exit status."""
    try:
        command, streams = receive(connection)
    except (EOFError, ConnectionError):
        os._exit(1)
    supervisor = os.getpid()
    ended, writer = os.pipe()  # only the command holds the writer: its end closes the pipe
    os.set_inheritable(writer, not PRELOADS)
    process = os.fork()
    if process == 0:
        connection.close()
        os.close(ended)
        die_with_parent(supervisor, stop_signal)
        _run(command, streams)
    for descriptor in (writer, *streams):
        os.close(descriptor)
    ready, _, _ = select.select([ended, connection.fileno()], [], [])
    if ended not in ready:
        os.kill(process, stop_signal)
    _, status = os.waitpid(process, 0)
    try:
        send_status(connection, os.waitstatus_to_exitcode(status))
    finally:  # also if the client has ended
        os._exit(0)


def _run(command: Command, streams: Sequence[int]) -> NoReturn:
    """Turn this process into what `python -m MODULE` would have started, in its own session."""
    os.setsid()
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    # New objects, because the old ones remember whether their file was a terminal or seekable.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        old: TextIO = getattr(sys, name)
        new = os.fdopen(old.fileno(), mode, 1, old.encoding, old.errors, closefd=False)
        setattr(sys, name, new)
    os.chdir(command.folder)
    os.environ.clear()
    os.environ.update(command.environment)
    if not PRELOADS:
        os.execv(sys.executable, [sys.executable, "-m", command.module, *command.args])
    sys.argv = [command.module, *command.args]
    sys.modules.pop(command.module, None)  # runpy warns about a module that is already imported
    try:
        runpy.run_module(command.module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, int):
            _status.append(end.code)
        raise
    _status.append(0)
    sys.exit()


if __name__ == "__main__":
    main()
