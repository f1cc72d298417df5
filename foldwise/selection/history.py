"""Which architectures, and which versions of them, were compared on the same folds before.

Whoever compares ten architectures, and then reports a test of the best two alone, has still made 45
comparisons. Therefore all architectures count that ever had fold records of these folds: in
reports/folds, at commits of git, and in DVC's experiments. Each version that was compared under one
name counts, since the best of them is compared now. Experiments are not in a clone, so the
committed comparison.json hands them on.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from foldwise.core.git import blobs_in_history, git_output, read_blobs
from foldwise.files.fold_record import FoldRecord

REVISIONS = ["HEAD", "MERGE_HEAD", "--glob=refs/exps"]
Fold = tuple[str, ...]  # repeat, fold, train digest, validation digest


class History(NamedTuple):
    """Earlier comparisons of the same folds.

    Attributes:
        compared_before: Other architectures with records of these folds, sorted: "NAME", or
            "NAME VERSION" if the version is known.
        history_complete: Whether git could be read, and the clone is not shallow.
        folds_digest: SHA-256 of the images of each fold of this comparison.
    """

    compared_before: list[str]
    history_complete: bool
    folds_digest: str


UNKNOWN = History([], history_complete=False, folds_digest="")
ENTRY = re.compile("([A-Za-z0-9_]+)(?: ([0-9a-f]+))?")
VERSION_DIGITS = 8
KEYS = {"repeat", "fold", "train_digest", "validation_digest"}


def read_history(folder: Path, committed: Path, records: Sequence[FoldRecord]) -> History:
    """Return which other architectures and versions were compared on the folds of these records.

    A record counts if it finished, and trained and validated on the images of one of these folds.

    Args:
        folder: reports/folds, with records of this comparison and of others.
        committed: comparison.json of the last commit; the file itself need not exist.
        records: Records of this comparison.
    """
    current = {record.model: _version(record.model_dump(include={"version"})) for record in records}
    folds = {_fold(record.model_dump(include=KEYS)) for record in records}
    digest = hashlib.sha256(json.dumps(sorted(folds)).encode()).hexdigest()
    files = {f"{record.repeat}-{record.fold}.json" for record in records}
    contents = [p.read_bytes() for p in folder.glob("*/*.json") if p.name in files]
    blobs = [b for b, p in blobs_in_history(folder, REVISIONS).items() if Path(p).name in files]
    found = {
        f"{record.get('model')} {_version(record)}".strip()
        for record in map(_parse, [*contents, *read_blobs(folder, blobs)])
        if record.get("status") == "finished" and _fold(record) in folds
    }
    text = git_output(_existing(committed.parent), "show", f"HEAD:./{committed.name}")
    design = _parse(text or b"").get("design", {})
    before = design if design.get("folds_digest") == digest else {}
    found |= {*before.get("compared_before", [])}
    shallow = git_output(folder, "rev-parse", "--is-shallow-repository") != b"false\n"
    complete = not shallow or before.get("history_complete", False)
    return History(sorted(_others(found, current)), complete, digest)


def _fold(record: dict[str, Any]) -> Fold:
    return tuple(str(record.get(key)) for key in sorted(KEYS))


def _version(record: dict[str, Any]) -> str:
    """Return the version of the architecture, short enough to read; empty: an old record."""
    return str(record.get("version") or "")[:VERSION_DIGITS]


def _others(found: Iterable[str], current: Mapping[str, str]) -> Iterator[str]:
    """Yield the architectures and versions that are not in this comparison.

    An unknown version may be any of the same name, so it never counts beside another.

    Args:
        found: "NAME" or "NAME VERSION".
        current: The version of each architecture of this comparison, by name.
    """
    versions: dict[str, set[str]] = {}
    for matched in filter(None, map(ENTRY.fullmatch, found)):
        versions.setdefault(matched[1], set()).add(matched[2] or "")
    for name, known in versions.items():
        if name not in current:
            yield from (f"{name} {version}".strip() for version in (known - {""} or {""}))
        elif current[name]:
            yield from (f"{name} {version}" for version in known - {"", current[name]})


def _parse(content: bytes) -> dict[str, Any]:
    """Return the object in a JSON file of any version of Foldwise; {} if there is none."""
    try:
        parsed = json.loads(content)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
