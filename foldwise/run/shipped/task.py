"""The task of Ray: run one stage in the worker's workspace, and tell what happens."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldwise.run.shipped.workspace import node_folder, workspace


@dataclass(frozen=True)
class Order:
    """One stage to run.

    Attributes:
        stage: Its name for DVC.
        sha256: Of the snapshot.
        remote: Name of the DVC remote.
        expected: What the worker must have, as JSON.
        has_gpu: Whether it may see a GPU.
    """

    stage: str
    sha256: str
    remote: str
    expected: str
    has_gpu: bool


class Desk:
    """The actor that workers tell what happens; it keeps that until it is asked."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._notes: list[tuple[str, str | None]] = []

    def note(self, stage: str, line: str | None) -> None:
        """Take a line that a stage printed; None: the stage begins."""
        self._notes.append((stage, line))

    def take(self) -> list[tuple[str, str | None]]:
        """Return what is new, oldest first."""
        notes, self._notes = self._notes, []
        return notes


def carry_out(order: Order, snapshot: bytes, desk: Any) -> tuple[int, str]:  # noqa: ANN401
    """Run a stage on the worker where this is called.

    Args:
        order: What to run.
        snapshot: The zip file.
        desk: Handle of the actor.

    Returns:
        Exit status of the worker's command, and all that it printed.
    """
    # Not waited for: Ray would lend this worker's CPUs to another fold meanwhile.
    desk.note.remote(order.stage, None)
    with workspace(node_folder(), snapshot, order.sha256, order.remote) as folder:
        return _run(order, folder, desk)


def environment(of_worker: Mapping[str, str], has_gpu: bool) -> dict[str, str]:
    """Return the environment of the worker's command.

    DVC starts `python` by its name, so that this one is put first. Ray sets OMP_NUM_THREADS for its
    workers; here hardware.threads decides.
    """
    kept = {name: value for name, value in of_worker.items() if name != "OMP_NUM_THREADS"}
    if not has_gpu:
        kept["CUDA_VISIBLE_DEVICES"] = ""
    path = f"{Path(sys.executable).parent}{os.pathsep}{of_worker.get('PATH', os.defpath)}"
    return kept | {"PATH": path, "PYTHONUNBUFFERED": "1"}


def _run(order: Order, folder: Path, desk: Any) -> tuple[int, str]:  # noqa: ANN401
    command = (sys.executable, "-m", "foldwise.run.ray_worker", "--params", "params.yaml")
    options = ("--stage", order.stage, "--expected", order.expected, "--parent", str(os.getpid()))
    with subprocess.Popen(
        (*command, *options),
        cwd=folder,
        env=environment(os.environ, order.has_gpu),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        printed = []
        for line in process.stdout:
            printed.append(line)
            desk.note.remote(order.stage, line.rstrip("\n"))
    return process.returncode, "".join(printed)
