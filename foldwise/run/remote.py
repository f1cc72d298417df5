"""What goes through the DVC remote: inputs of train to the workers, and results back.

In a result are the run-cache's entry, the predictions and the fold record. Fold records are plots
that DVC does not cache, and `dvc push --run-cache` leaves them out (seen with DVC 3.67), so that
they would be missing on another machine; hence DVC's own objects instead of its command line.
"""

import hashlib
import io
import subprocess
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dvc.config_schema import RelPath
from dvc.exceptions import DvcException
from dvc.repo import Repo

from foldwise.core.errors import InputError


def choose_remote(name: str | None) -> str:
    """Return the name of the remote that workers can reach.

    Args:
        name: Asked for; None: the default one.

    Raises:
        InputError: If there is none; if .dvc/config, which is what workers get, does not know it;
            or if its address says nothing elsewhere.
    """
    with _opened() as repo:
        chosen = name or repo.config["core"].get("remote")
        known = repo.config.read("repo")["remote"]
    if chosen is None:
        raise InputError(
            "there is no DVC remote, by which data goes to the workers and results come back; "
            "dvc remote add -d NAME URL"
        )
    if chosen not in known:
        raise InputError(
            f"the DVC remote {chosen!r} is not in .dvc/config, the configuration that workers get; "
            f"there is {', '.join(sorted(known)) or 'none'}; dvc remote add {chosen} URL"
        )
    if isinstance(known[chosen]["url"], RelPath):
        raise InputError(
            f"the DVC remote {chosen!r} has an address relative to this folder, which is none for "
            f"workers; dvc remote modify {chosen} url {known[chosen]['url']}, if they see it"
        )
    return str(chosen)


def fetch_inputs(stage: str) -> None:
    """Bring what a stage needs and is not here from the remote."""
    with _opened() as repo:
        (found,) = repo.stage.collect(stage)
        missing = [dep.def_path for dep in found.deps if not dep.exists]
        if missing:
            repo.pull(missing)


def send_results() -> None:
    """Bring all results that this workspace's run-cache knows to the remote.

    The objects go first: an entry in the remote promises them.

    Raises:
        InputError: If the remote did not take all of them.
    """
    with _opened() as repo, repo.lock:
        entries = _entries(repo)
        for odb, objects in repo.stage_cache.get_used_objs(entries).items():
            failed = repo.cloud.push(objects, odb=odb).failed
            if failed:
                raise InputError(f"the DVC remote did not take {len(failed)} files of the result")
        repo.stage_cache.push(None)


def fetch_results(stages: Sequence[str], remote: str) -> list[str]:
    """Bring the results of stages that the remote has into the cache.

    Returns:
        The stages whose results are there now; `dvc repro` takes them without running them.

    Raises:
        InputError: If the remote does not answer, or cannot hold a run-cache, as those of HTTP.
    """
    with _opened(remote) as repo, repo.lock:
        repo.stage_cache.pull(None)
        return [stage for stage in stages if _fetched(repo, stage)]


@contextmanager
def _opened(remote: str | None = None) -> Iterator[Repo]:
    """Open DVC's project here, with another default remote if one is named.

    Raises:
        InputError: With what DVC says, if it fails.
    """
    try:
        with Repo(config={"core": {"remote": remote}} if remote else None) as repo:
            yield repo
    except DvcException as error:
        raise InputError(f"DVC: {' '.join(str(error).split())}") from None


def _entries(repo: Repo) -> list[tuple[str, str]]:
    """Return key and value of each entry of the run-cache."""
    fs, folder = repo.cache.legacy.fs, repo.stage_cache.cache_dir
    return [tuple(path.split("/")[-2:]) for path in fs.find(folder)]


def _fetched(repo: Repo, stage: str) -> bool:
    """Bring the objects of one result into the cache; its files stay away from older ones."""
    (found,) = repo.stage.collect(stage)
    found.save_deps()
    entry = repo.stage_cache._load(found)
    if entry is None:
        return False
    result = repo.stage_cache._create_stage(entry, wdir=found.wdir)
    for odb, objects in result.get_used_objs().items():
        repo.cloud.pull(objects, odb=odb)
    return bool(result.outs_cached())


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
