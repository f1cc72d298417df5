"""The pipeline, run by DVC."""

import os
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from foldwise.core.errors import InputError
from foldwise.core.preload import Command, wait
from foldwise.run.preload_client import preload_server, start_command

UPSTREAM = ("prepare", "split", "augment", "build", "extract", "forecast")  # of train; check, too
LOADED = ("dvc.cli.parser", "dvc.repo.reproduce", "dvc.data_cloud", "dvc.lock", "scmrepo.git")
INPUT, OUTPUT, ERROR = range(3)


@dataclass(frozen=True)
class Pipeline:
    """DVC in the folder of this process; see `open_pipeline`.

    Attributes:
        address: Of the forker of DVC.
    """

    address: str

    def repro(self, *targets: str) -> None:
        """Bring stages and all before them up to date; what DVC prints goes to the terminal.

        Args:
            targets: Names of dvc.yaml; none: all of it.

        Raises:
            InputError: If DVC fails, which has then said why.
        """
        self._run("repro", *targets, output=OUTPUT)

    def push(self, remote: str, *targets: str) -> None:
        """Bring the outputs of stages to a DVC remote.

        Args:
            remote: Its name.
            targets: Names of dvc.yaml.

        Raises:
            InputError: If DVC fails, which has then said why.
        """
        self._run("push", "--remote", remote, *targets, output=OUTPUT)

    def status(self) -> str:
        """Return what `dvc status` says of the trainings, as JSON; it asks no network.

        Raises:
            InputError: If DVC fails, which has then said why.
        """
        with TemporaryFile() as said:
            self._run("status", "--json", "train", output=said.fileno())
            said.seek(0)
            return said.read().decode()

    def start(
        self, words: tuple[str, ...], output: int, error: int, more: Mapping[str, str]
    ) -> socket.socket:
        """Start DVC and return the connection on which its status comes; shut down, it ends DVC.

        DVC finishes what it writes, and ends what it runs.

        Args:
            words: Of its command line.
            output: Descriptor of its standard output.
            error: Of its standard error.
            more: Environment, beside that of this process.
        """
        environment = {**os.environ, **more}
        words = ("--wait-for-lock", *words)
        job = Command("foldwise.run.dvc_job", words, str(Path.cwd()), environment)
        return start_command(self.address, job, (INPUT, output, error))

    def _run(self, *words: str, output: int) -> None:
        with self.start(words, output, ERROR, {}) as connection:
            try:
                status = wait(connection)
            except BaseException:
                connection.shutdown(socket.SHUT_WR)
                wait(connection)
                raise
        if status != 0:
            raise InputError(
                f"'dvc {' '.join(words)}' ended with status {status}; mend what it says above, "
                "and run this again: what is done stays done"
            )


@contextmanager
def open_pipeline() -> Iterator[Pipeline]:
    """Have DVC at hand, which is loaded once for all that it is to do."""
    with preload_server(LOADED, signal.SIGTERM) as address:
        yield Pipeline(address)
