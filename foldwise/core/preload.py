"""A command line for a process that has loaded what it needs.

Importing PyTorch takes longer than a small fold trains. Where many run, one process imports it and
forks for each (foldwise.run.preload_server); what was started for a fold hands it over to that one.
This module loads next to nothing: it is imported by whom it saves the imports.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

PRELOAD_ADDRESS = "FOLDWISE_FORKER"  # in the environment of a training: path of the forker's socket
STREAMS = 3  # standard input, output and error
LONGEST_STATUS = 16  # bytes


@dataclass(frozen=True)
class Command:
    """What to run, as `python -m` would.

    Attributes:
        module: Run as `__main__`.
        words: Of its command line.
        folder: To run in.
        environment: Of the process.
    """

    module: str
    words: Sequence[str]
    folder: str
    environment: Mapping[str, str]


def send(connection: socket.socket, job: Command, streams: Sequence[int] = range(STREAMS)) -> None:
    """Ask a forker to run a job; to end it, shut the connection down, or just end.

    Args:
        connection: To its socket.
        job: To run.
        streams: Descriptors of its standard input, output and error.
    """
    socket.send_fds(connection, [b"\n"], list(streams))
    connection.sendall(json.dumps(asdict(job)).encode() + b"\n")


def receive(connection: socket.socket) -> tuple[Command, list[int]]:
    """Return what was sent, with descriptors of this process.

    Raises:
        EOFError: If the sender ended before it had sent all.
    """
    _, streams, _, _ = socket.recv_fds(connection, 1, STREAMS)
    with connection.makefile("rb") as file:
        line = file.readline()
    if len(streams) < STREAMS or not line.endswith(b"\n"):
        raise EOFError("the sender of a job ended before it had sent all of it")
    return Command(**json.loads(line)), streams


def send_status(connection: socket.socket, status: int) -> None:
    """Say how a job ended: its exit status, or the number of the signal that ended it, negative."""
    connection.sendall(b"%d" % status)


def wait(connection: socket.socket) -> int | None:
    """Return the status of a job when it has ended; None: whoever ran it ended without a word."""
    try:
        return read_status(connection.recv(LONGEST_STATUS))
    except ConnectionError:
        return None


def read_status(said: bytes) -> int | None:
    """Return what `send_status` sent, None for nothing."""
    return int(said) if said else None


def delegate(module: str) -> None:
    """Have a forker run this process's command line, if there is one, and end as that ends.

    Returns only where there is none: then this process is to do it itself.

    Args:
        module: Which this process runs.

    Raises:
        SystemExit: With the status of what ran in its place.
    """
    environment = dict(os.environ)
    address = environment.pop(PRELOAD_ADDRESS, None)
    if address is None:
        return
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(address)
        except OSError:  # it has ended; the result is the same without it, only later
            return
        send(connection, Command(module, sys.argv[1:], str(Path.cwd()), environment))
        status = wait(connection)
    if status is None:
        sys.exit("error: the process that trains for several has ended; run this again")
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)
