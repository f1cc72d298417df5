"""Repair the files of DVC that a stop of plain `dvc repro` has left incomplete.

DVC writes dvc.lock and .dvc/tmp/rwlock in place. If it is killed meanwhile, they are empty or cut,
and every later command fails. Under `foldwise run`, both are replaced at once instead.

The rwlock also names the processes that read or write each file. DVC waits for none that has ended,
but for zombies, which have ended, too: in a container whose first process reaps no orphans, for
ever.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from foldwise.core.atomic import write_text
from foldwise.core.errors import InputError

LOCK, RWLOCK = Path("dvc.lock"), Path(".dvc/tmp/rwlock")
HELD = {LOCK: Path(".dvc/tmp/lock"), RWLOCK: Path(".dvc/tmp/rwlock.lock")}  # while DVC writes them
LOCK_SECONDS = 60  # in which DVC has long written them: .4 s for dvc.lock with 40 stages


def repair_dvc_files() -> Iterator[str]:
    """Restore dvc.lock and drop the rwlock if they are incomplete; yield a line about each.

    Results are in DVC's run-cache, so no training is lost with an older dvc.lock. A DVC that is
    writing them now is waited for.

    Raises:
        InputError: If another process keeps DVC's lock.
    """
    if not _is_whole(LOCK):
        with _written(LOCK):
            if not _is_whole(LOCK):
                yield _restore_lock()
    if not _is_whole(RWLOCK):
        with _written(RWLOCK):
            if not _is_whole(RWLOCK):
                RWLOCK.unlink()
                yield f"{RWLOCK} was incomplete, because DVC was killed; removed it"
    if RWLOCK.exists() and any(map(_is_zombie, _holders())):
        with _written(RWLOCK):
            _drop_zombies()


@contextmanager
def _written(path: Path) -> Iterator[None]:
    """Wait until DVC has written a file, and let it write no more meanwhile."""
    held = HELD[path]
    held.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(held, LOCK_SECONDS):
            yield
    except Timeout:
        raise InputError(
            f"{path} is incomplete, and another DVC has held {held} for {LOCK_SECONDS} s; wait "
            "until it ends, or end it, and run the same command again"
        ) from None


def _is_whole(path: Path) -> bool:
    """Return whether DVC would read a file, or whether there is none."""
    if not path.exists():
        return True
    return is_lock_file(path.read_bytes()) if path == LOCK else _is_json(path)


def _holders() -> set[int]:
    """Return the numbers of the processes in the rwlock."""
    return {int(number) for number in re.findall(r'"pid": (\d+)', RWLOCK.read_text())}


def _is_zombie(number: int) -> bool:
    """Return whether a process has ended, and waits for its parent to read its status."""
    try:
        facts = Path(f"/proc/{number}/stat").read_text()
    except OSError:  # there is no such process, or this is not Linux
        return False
    return facts.rpartition(")")[2].split()[0] == "Z"


def _drop_zombies() -> None:
    """Drop the locks of zombies: `read` has a list of processes for each path, `write` one."""
    locks, zombies = json.loads(RWLOCK.read_bytes()), {*filter(_is_zombie, _holders())}
    read = {
        path: [each for each in processes if each["pid"] not in zombies]
        for path, processes in locks.get("read", {}).items()
    }
    write = {p: each for p, each in locks.get("write", {}).items() if each["pid"] not in zombies}
    kept = {path: processes for path, processes in read.items() if processes}
    write_text(RWLOCK, json.dumps({"read": kept, "write": write}))


def _restore_lock() -> str:
    committed = subprocess.run(["git", "show", ":./dvc.lock"], capture_output=True, check=False)
    if is_lock_file(committed.stdout):
        write_text(LOCK, committed.stdout.decode())
        return "dvc.lock was incomplete, because DVC was killed; restored it from git"
    LOCK.unlink()
    return "dvc.lock was incomplete, because DVC was killed; removed it"


def read_lock() -> dict[str, Any]:
    """Return the stages of dvc.lock by name; none without the file.

    It grows with every architecture, so the limits on files that people write do not hold.

    Raises:
        InputError: If DVC would not read the file.
    """
    stages = _stages_of(LOCK.read_bytes()) if LOCK.exists() else {}
    if stages is None:
        raise InputError(
            f"{LOCK} is incomplete or not YAML; remove it, run 'dvc repro', and commit it"
        )
    return stages


def is_lock_file(content: bytes) -> bool:
    """Return whether DVC would read this dvc.lock."""
    return _stages_of(content) is not None


def _stages_of(content: bytes) -> dict[str, Any] | None:
    """Return the stages of a dvc.lock by name; None if DVC would not read it."""
    try:
        data = YAML(typ="safe").load(content)
    except (YAMLError, ValueError):  # ValueError: not UTF-8
        return None
    stages = data.get("stages") if isinstance(data, dict) else None
    is_sound = isinstance(stages, dict) and all(map(_is_stage, stages.values()))
    return stages if is_sound else None


def _is_stage(stage: object) -> bool:
    """Return whether a stage of dvc.lock is complete; a cut list or mapping may end as null."""
    if not isinstance(stage, dict) or not stage.get("cmd"):
        return False
    lists = [stage[key] or [None] for key in ("deps", "outs") if key in stage]
    files = [file for files in lists for file in files]
    params = (stage["params"] or {"": None}).values() if "params" in stage else []
    return all(isinstance(file, dict) and "path" in file for file in files) and all(
        isinstance(values, dict) for values in params
    )


def _is_json(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except ValueError:
        return False
