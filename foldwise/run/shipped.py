"""The Ray task that runs one stage on a worker, in a workspace made from a snapshot.

Ray ships this module to its workers by value, so that they need no Foldwise: the snapshot brings
the code that trains. Hence this module imports nothing else of Foldwise.
"""

import fcntl
import io
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FINISHED = "finished"  # this file marks a free workspace whose last stage was not interrupted


@dataclass(frozen=True)
class TaskSpec:
    """One stage to run.

    Attributes:
        stage: Its name in DVC.
        sha256: Digest of the snapshot.
        remote: Name of the DVC remote.
        expected: Versions and precision of the worker, as JSON.
        has_gpu: Whether the stage may use a GPU.
    """

    stage: str
    sha256: str
    remote: str
    expected: str
    has_gpu: bool


class MessageQueue:
    """Actor that keeps the messages of all workers until the driver reads them."""

    def __init__(self) -> None:
        """Start empty."""
        self._messages: list[tuple[str, str | None]] = []

    def put(self, stage: str, line: str | None) -> None:
        """Add a line that a stage printed; None: the stage has started."""
        self._messages.append((stage, line))

    def drain(self) -> list[tuple[str, str | None]]:
        """Return and remove all messages, oldest first."""
        messages, self._messages = self._messages, []
        return messages


def run_task(spec: TaskSpec, snapshot: bytes, queue: Any) -> tuple[int, str]:  # noqa: ANN401
    """Run a stage on this worker.

    Args:
        spec: The stage.
        snapshot: Zip file with the code and parameters.
        queue: Handle of the `MessageQueue`.

    Returns:
        Exit status of the worker's command, and everything that it printed.
    """
    # No wait for an answer: meanwhile Ray would lend the CPUs of this worker to another fold.
    queue.put.remote(spec.stage, None)
    with open_workspace(node_folder(), snapshot, spec.sha256, spec.remote) as folder:
        args = ("--params", "params.yaml", "--stage", spec.stage, "--expected", spec.expected)
        with subprocess.Popen(
            (sys.executable, "-m", "foldwise.run.ray_worker", *args, "--parent", str(os.getpid())),
            cwd=folder,
            env=worker_environment(os.environ, spec.has_gpu),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            output = []
            for line in process.stdout:
                output.append(line)
                queue.put.remote(spec.stage, line.rstrip("\n"))
    return process.returncode, "".join(output)


def worker_environment(environment: Mapping[str, str], has_gpu: bool) -> dict[str, str]:
    """Return the environment variables of the worker's command.

    DVC starts `python` by name, so the folder of this Python comes first in PATH. Ray sets
    OMP_NUM_THREADS for its workers; here hardware.threads decides.
    """
    variables = {key: text for key, text in environment.items() if key != "OMP_NUM_THREADS"}
    if not has_gpu:
        variables["CUDA_VISIBLE_DEVICES"] = ""
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', os.defpath)}"
    return variables | {"PATH": path, "PYTHONUNBUFFERED": "1"}


def node_folder() -> Path:
    """Return the folder that all workers of this user share on a node, below TMPDIR or /tmp.

    Raises:
        PermissionError: If another user made it, because its files are executed.
    """
    folder = Path(tempfile.gettempdir()) / f"foldwise-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user; set TMPDIR on the workers")
    return folder


@contextmanager
def open_workspace(node: Path, snapshot: bytes, sha256: str, remote: str) -> Iterator[Path]:
    """Yield a locked folder with the files of a snapshot; reuse a free one if there is any.

    Unused workspaces of other snapshots, and those in which a stage was interrupted, are removed.

    Args:
        node: Folder that all workers of a node share.
        snapshot: Zip file.
        sha256: Digest of the snapshot.
        remote: Name of the DVC remote.
    """
    mutex = os.open(node, os.O_RDONLY)
    fcntl.flock(mutex, fcntl.LOCK_EX)  # one worker at a time looks, removes and creates
    try:
        prefix = f"workspace-{sha256[:16]}-"
        folder, lock = _reuse(node, prefix) or _create(node, prefix, snapshot, remote)
    finally:
        os.close(mutex)
    try:
        yield folder
        (folder / FINISHED).touch()
    finally:
        os.close(lock)  # if this process is killed, the kernel does it


def _reuse(node: Path, prefix: str) -> tuple[Path, int] | None:
    """Return a free workspace with its lock; remove useless ones on the way."""
    for folder in sorted(node.glob("workspace-*")):
        lock = _lock(folder)
        if lock is None:
            continue
        if folder.name.startswith(prefix) and (folder / FINISHED).exists():
            (folder / FINISHED).unlink()
            return folder, lock
        shutil.rmtree(folder)
        os.close(lock)
    return None


def _create(node: Path, prefix: str, snapshot: bytes, remote: str) -> tuple[Path, int]:
    """Unpack a snapshot and configure DVC.

    The workspaces of a node share one cache of objects, so that data arrives once per node. Each
    has its own run-cache, so that it sends only its own results.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=node))
    lock = _lock(folder)
    assert lock is not None
    with zipfile.ZipFile(io.BytesIO(snapshot)) as archive:
        archive.extractall(folder)
    objects, cache = node / "objects", folder / ".dvc" / "cache"
    objects.mkdir(exist_ok=True)
    cache.mkdir()
    (cache / "files").symlink_to(objects, target_is_directory=True)
    site = folder / ".dvc" / "tmp" / "site"
    (folder / ".dvc" / "config.local").write_text(
        f'[core]\n    no_scm = true\n    remote = {remote}\n    site_cache_dir = "{site}"\n'
        "[cache]\n    type = reflink,hardlink,copy\n",
        encoding="utf-8",
    )
    return folder, lock


def _lock(folder: Path) -> int | None:
    """Lock a folder until the returned descriptor is closed; None: it is already locked."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
