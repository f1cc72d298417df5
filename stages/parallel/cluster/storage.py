"""What goes through the DVC remote: inputs of train to the workers, and results back.

In a result are the run-cache's entry, the predictions and the fold record. Fold records are plots
that DVC does not cache, and `dvc push --run-cache` leaves them out (seen with DVC 3.67), so that
they would be missing on another machine; hence DVC's own objects instead of its command line.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dvc.config_schema import RelPath
from dvc.exceptions import DvcException
from dvc.repo import Repo

from stages.contracts.command import InputError


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
