"""The files that train needs beside its data, packed for another machine."""

import hashlib
import io
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

from stages.contracts.command import InputError

# Of what git lists. What git ignores stays here, .dvc/config.local with its credentials above all;
# so do .env files and the like, which nothing here needs.
LISTED = (".dvc", ".dvcignore", "dvc.yaml", "dvc.lock", "params.yaml", "stages", "nets")
UNLISTED = "data/checked"  # the fingerprints of the code: outputs that DVC does not keep
MOST_BYTES = 100_000_000


@dataclass(frozen=True)
class Snapshot:
    """A zip file.

    Attributes:
        content: Its bytes; the same files give the same bytes.
        sha256: Of the bytes, in hexadecimal.
    """

    content: bytes
    sha256: str


def take_snapshot(root: Path) -> Snapshot:
    """Pack the files as they are now, uncommitted changes included.

    Args:
        root: Of a git repository in which the stage check has run.

    Raises:
        InputError: If it is no git repository, or the files take more than 100 MB.
    """
    names = sorted({*_listed(root), *_below(root, UNLISTED)})
    paths = [root / name for name in names if (root / name).is_file()]
    n_bytes = sum(path.stat().st_size for path in paths)
    if n_bytes > MOST_BYTES:
        largest = max(paths, key=lambda path: path.stat().st_size).relative_to(root)
        raise InputError(
            f"the files for the workers take {n_bytes / 1e6:,.0f} MB, {largest} most of it; "
            f"expected at most {MOST_BYTES / 1e6:.0f} MB: let DVC keep it, or git ignore it"
        )
    content = _pack(root, paths)
    return Snapshot(content, hashlib.sha256(content).hexdigest())


def _listed(root: Path) -> list[str]:
    """Return what is in git or could be added to it, of what train needs."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *LISTED]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip().split("\n")[0]
        raise InputError(f"{root}: {reason}; the files for the workers are those that git lists")
    return [name for name in done.stdout.split("\0") if name]


def _below(root: Path, folder: str) -> list[str]:
    return [path.relative_to(root).as_posix() for path in (root / folder).rglob("*")]


def _pack(root: Path, paths: list[Path]) -> bytes:
    packed = io.BytesIO()
    # No tar file: its safe unpacking is missing in Python 3.11.0 to 3.11.3.
    with zipfile.ZipFile(packed, mode="w") as archive:
        for path in paths:
            member = zipfile.ZipInfo(path.relative_to(root).as_posix())  # without a date
            archive.writestr(member, path.read_bytes())
    return packed.getvalue()
