"""Folders on a worker in which stages run, and what the workers of a node share."""

import fcntl
import io
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLEAN = "clean"  # a file in a workspace whose last stage was not cut off


def node_folder() -> Path:
    """Return the folder that all workers of this user share on a node, below TMPDIR or /tmp.

    Raises:
        PermissionError: If somebody else made it: what lies in it would run.
    """
    folder = Path(tempfile.gettempdir()) / f"foldwise-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user; set TMPDIR on the workers")
    return folder


@contextmanager
def workspace(node: Path, snapshot: bytes, sha256: str, remote: str) -> Iterator[Path]:
    """Have a folder with a snapshot's files for oneself, unpacked anew only where none is free.

    Folders of other snapshots that nobody uses are removed, and those in which a stage was cut off.

    Args:
        node: Folder that all workers of a node share.
        snapshot: A zip file.
        sha256: Of the snapshot.
        remote: Name of the DVC remote.
    """
    taken = os.open(node, os.O_RDONLY)
    fcntl.flock(taken, fcntl.LOCK_EX)  # one at a time looks for one, removes and makes
    try:
        prefix = f"workspace-{sha256[:16]}-"
        folder, lock = _find(node, prefix) or _make(node, prefix, snapshot, remote)
    finally:
        os.close(taken)
    try:
        yield folder
        (folder / CLEAN).touch()
    finally:
        os.close(lock)  # by the system, too, if this process is killed


def _find(node: Path, prefix: str) -> tuple[Path, int] | None:
    """Return a free workspace with its lock, and remove those on the way that are of no use."""
    for folder in sorted(node.glob("workspace-*")):
        lock = _lock(folder)
        if lock is None:
            continue
        if folder.name.startswith(prefix) and (folder / CLEAN).exists():
            (folder / CLEAN).unlink()
            return folder, lock
        shutil.rmtree(folder)
        os.close(lock)
    return None


def _make(node: Path, prefix: str, snapshot: bytes, remote: str) -> tuple[Path, int]:
    """Unpack a snapshot for DVC.

    Its cache of objects is the node's, so that data comes once a node; its run-cache is its own, so
    that it sends its own results only.
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
    """Lock a folder as long as the returned descriptor is open; None: somebody else has it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
