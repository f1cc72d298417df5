"""Repair the files of DVC that a stop of plain `dvc repro` has left incomplete.

DVC writes dvc.lock and .dvc/tmp/rwlock in place. If it is killed meanwhile, they are empty or cut,
and every later command fails. Under `foldwise run`, both are replaced at once instead.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from foldwise.core.atomic import write_text
from foldwise.core.errors import InputError

LOCK, RWLOCK = Path("dvc.lock"), Path(".dvc/tmp/rwlock")
LOCK_SECONDS = 60  # in which DVC has long written the rwlock


def repair_dvc_files() -> Iterator[str]:
    """Restore dvc.lock and drop the rwlock if they are incomplete; yield a line about each.

    Results are in DVC's run-cache, so no training is lost with an older dvc.lock.
    """
    if LOCK.exists() and not is_lock_file(LOCK.read_bytes()):
        committed = subprocess.run(["git", "show", ":./dvc.lock"], capture_output=True, check=False)
        if is_lock_file(committed.stdout):
            write_text(LOCK, committed.stdout.decode())
            yield "dvc.lock was incomplete, because DVC was killed; restored it from git"
        else:
            LOCK.unlink()
            yield "dvc.lock was incomplete, because DVC was killed; removed it"
    if RWLOCK.exists():
        # DVC holds this lock while it writes the file.
        with FileLock(f"{RWLOCK}.lock", LOCK_SECONDS):
            if not _is_json(RWLOCK):
                RWLOCK.unlink()
                yield f"{RWLOCK} was incomplete, because DVC was killed; removed it"


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
