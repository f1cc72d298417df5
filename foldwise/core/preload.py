"""The start of a stage: alone, or in a fork of a preload server that has imported its modules.

Importing PyTorch takes longer than training a small fold. `foldwise run` therefore imports it once,
in a process that forks for each stage (foldwise.run.preload_server). The process that DVC starts
delegates its command line to that server. It must start fast: this module imports little.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from foldwise.core.process import die_with_parent, end_when_interrupted, tune_python

PRELOAD_SERVERS = "FOLDWISE_PRELOAD"  # environment variable: JSON, path of a socket by module
N_STREAMS = 3  # standard input, output and error
MAX_STATUS_BYTES = 16


@dataclass(frozen=True)
class Command:
    """A command line of `python -m`.

    Attributes:
        module: Module that runs as `__main__`.
        args: Its arguments.
        folder: Working directory.
        environment: All environment variables.
    """

    module: str
    args: Sequence[str]
    folder: str
    environment: Mapping[str, str]


def send(
    connection: socket.socket, command: Command, streams: Sequence[int] = range(N_STREAMS)
) -> None:
    """Ask a preload server to run a command, which ends when the connection shuts down.

    Args:
        connection: Connection to the server's socket.
        command: The command to run.
        streams: Descriptors of its standard input, output and error.
    """
    socket.send_fds(connection, [b"\n"], list(streams))
    connection.sendall(json.dumps(asdict(command)).encode() + b"\n")


def receive(connection: socket.socket) -> tuple[Command, list[int]]:
    """Return the command that a client sent and its streams, as descriptors of this process.

    Raises:
        EOFError: If the client ended before it had sent everything.
    """
    _, streams, _, _ = socket.recv_fds(connection, 1, N_STREAMS)
    with connection.makefile("rb") as file:
        line = file.readline()
    if len(streams) < N_STREAMS or not line.endswith(b"\n"):
        raise EOFError("the client ended before it had sent its whole command")
    return Command(**json.loads(line)), streams


def send_status(connection: socket.socket, status: int) -> None:
    """Send the exit status of a command, or the negative number of the signal that ended it."""
    connection.sendall(b"%d" % status)


def wait(connection: socket.socket) -> int | None:
    """Return the status of a command when it has ended; None if the server has ended."""
    try:
        return parse_status(connection.recv(MAX_STATUS_BYTES))
    except ConnectionError:
        return None


def parse_status(message: bytes) -> int | None:
    """Return the status in a message of `send_status`; None for an empty message."""
    return int(message) if message else None


def start_stage(module: str) -> None:
    """Set this process up for a stage; call this before slow imports, in which DVC may be killed.

    Args:
        module: The module that this process runs.

    Raises:
        SystemExit: If a preload server has run the stage, or if DVC has ended.
    """
    end_when_interrupted()
    tune_python()
    die_with_parent()
    delegate(module)


def wake(address: str) -> None:
    """Let a preload server begin its imports, which it does when the first client connects."""
    with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
        connection.connect(address)


def delegate(module: str) -> None:
    """Let a preload server run this process's command line, then exit as that command did.

    Returns only if there is no server for it. This process then runs the command itself.

    Args:
        module: The module that this process runs.

    Raises:
        SystemExit: With the exit status of the command.
    """
    environment = dict(os.environ)
    servers = json.loads(environment.pop(PRELOAD_SERVERS, "{}"))
    address = servers.pop(module, None)
    if address is None:
        return
    for other in {*servers.values()} - {address}:
        wake(other)  # its stages will follow
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(address)
        except OSError:  # the server has ended; without it, the result is the same but later
            return
        send(connection, Command(module, sys.argv[1:], str(Path.cwd()), environment))
        status = wait(connection)
    if status is None:
        sys.exit("error: the preload server has ended; run the same command again")
    if status == -signal.SIGKILL:  # no line of its own
        sys.exit(
            f"error: {module} was killed, as the system does if the memory is full; use fewer "
            "--jobs, or a smaller train.batch_size"
        )
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)
