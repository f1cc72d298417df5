"""Jobs on this machine that share what takes long to load: DVC, and PyTorch."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from foldwise.core.errors import InputError
from foldwise.core.preload import Command, send

BACKLOG = 128  # jobs that wait to be taken while modules load


@contextmanager
def preload_server(load: Sequence[str], by: signal.Signals) -> Iterator[str]:
    """Have a process meanwhile that loads modules, and runs every job in a fork of itself.

    It ends with this process, and so does every job that this process has asked for.

    Args:
        load: Modules.
        by: Signal that ends a job which nobody waits for any more.

    Yields:
        The path of its socket.
    """
    with TemporaryDirectory(prefix="foldwise-") as folder:  # nobody else can enter it
        address = f"{folder}/socket"
        process = _start(address, load, by)
        try:
            yield address
        finally:
            process.kill()
            process.wait()


def _start(address: str, load: Sequence[str], by: signal.Signals) -> subprocess.Popen[bytes]:
    """Start a process that listens at an address; this process does not, lest jobs wait in vain."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(BACKLOG)
        inherited = listener.fileno()
        command = [
            sys.executable,
            "-m",
            "foldwise.run.preload_server",
            "--parent",
            str(os.getpid()),
        ]
        options = ["--listener", str(inherited), "--by", by.name, "--load", *load]
        return subprocess.Popen([*command, *options], pass_fds=[inherited], start_new_session=True)


def start_command(address: str, job: Command, streams: Sequence[int]) -> socket.socket:
    """Start a job and return the connection, on which its status comes; shut down, it ends the job.

    Args:
        address: Of a forker.
        job: To run.
        streams: Descriptors of its standard input, output and error.

    Raises:
        InputError: If the forker has ended.
    """
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(address)
        send(connection, job, streams)
    except ConnectionError as error:
        connection.close()
        raise InputError(f"{address}: {error}; what ran there has ended, run this again") from None
    return connection
