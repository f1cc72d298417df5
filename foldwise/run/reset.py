"""Go back to the last commit: parameters of an experiment, generated files, and data.

`git checkout . && dvc checkout` is not enough. An experiment leaves new files behind; one that was
ended leaves its changes staged; and `dvc checkout` fails where a result is not in the cache.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from foldwise.core.errors import InputError, first_few
from foldwise.core.git import git_output, run_git
from foldwise.files.base import read_yaml
from foldwise.run.dvc import Pipeline
from foldwise.run.repair import LOCK, read_lock, repair_dvc_files

PARAMS, PIPELINE, DATA = "params.yaml", "dvc.yaml", Path("data")
LOCKED = ".lock"  # suffix of the files beside the outputs of trainings; to DVC, they do not exist
BACKUPS = Path(".dvc/tmp/before-reset")
EXPERIMENTS = "refs/exps"  # git references of DVC's experiments, also of one that was ended
RUNS = Path(".dvc/tmp/exps/run")  # folders named after commits: one that failed has no reference


def reset(pipeline: Pipeline) -> Iterator[str]:
    """Go back to the last commit; yield a line about everything that is not obvious.

    params.yaml goes back only if an experiment wrote it, and then dvc.yaml with it, because its
    slots hold the candidates. Otherwise edits of the user stay. Whatever differs from the commit in
    the generated files and folders is moved to a new folder below `BACKUPS`: nothing is lost.

    Args:
        pipeline: DVC in the current folder, which is the root of the repository.

    Raises:
        InputError: If git or DVC fails, or if there is no commit.
    """
    yield from repair_dvc_files()
    _git("rev-parse", "--verify", "HEAD")
    backup = next(path for n in count(1) if not (path := BACKUPS / str(n)).exists())
    paths = [str(LOCK), *_generated(read_yaml(Path(PIPELINE)))]
    _git("reset", "--quiet", "HEAD", "--", PARAMS, *paths)
    yield from _reset_params(backup)
    moved = _move(map(Path, _git("diff", "--name-only", "HEAD", "--", *paths)), backup)
    if committed := _git("ls-tree", "-r", "--name-only", "HEAD", *paths):
        _git("restore", "--source=HEAD", "--", *committed)
    new = [Path(name) for name in _git("ls-files", "--others", "--exclude-standard", "--", *paths)]
    outs = {Path(out["path"]) for stage in read_lock().values() for out in stage.get("outs", [])}
    folders = {folder for path in outs for folder in path.parents if DATA in folder.parents}
    present = [path for folder in folders if folder.is_dir() for path in folder.iterdir()]
    new += [path for path in present if path not in outs | folders and path.suffix != LOCKED]
    moved += _move(new, backup)
    if moved:
        yield f"other than in the commit, so moved to {backup}: {first_few(sorted(moved))}"
    pipeline.run("checkout", "--force", "--quiet", "--allow-missing", PIPELINE)
    if tracked := _git("ls-files", "*.dvc"):  # images: changed ones are not overwritten
        pipeline.run("checkout", "--quiet", "--allow-missing", *tracked)
    for path in present:
        if path.suffix == LOCKED:
            path.unlink()
    # To DVC, an empty folder is not missing, and its checkout makes folders for the other stages.
    for folder in sorted({*folders, *(path for each in folders for path in each.glob("*/"))})[::-1]:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _move(paths: Iterable[Path], backup: Path) -> list[str]:
    """Move files and folders that exist below another folder, and return them.

    Folders that are empty then are removed.
    """
    present = [path for path in paths if path.exists() or path.is_symlink()]
    for path in present:
        (backup / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, backup / path)
        with suppress(OSError):  # not empty
            for folder in path.parents:
                folder.rmdir()
    return [str(path) for path in present]


def _reset_params(backup: Path) -> Iterator[str]:
    """Restore params.yaml and dvc.yaml if an experiment wrote params.yaml."""
    changed = _git("diff", "--name-only", "HEAD", "--", PARAMS, PIPELINE)
    if not changed:
        return
    names = " and ".join(sorted(changed, reverse=True))
    (digest,) = _git("hash-object", "--", PARAMS)
    commits = _git("for-each-ref", "--format=%(refname)", EXPERIMENTS)
    commits += [path.name for path in RUNS.glob("*")]
    written = (git_output(Path(), "ls-tree", "--object-only", name, PARAMS) for name in commits)
    if PARAMS in changed and f"{digest}\n".encode() in written:
        _move(map(Path, changed), backup)
        _git("restore", "--source=HEAD", "--", *changed)
        yield f"committed again: {names}; what the experiment had is in {backup}"
    else:
        yield f"your edits stay in {names}; to drop them: git checkout HEAD {' '.join(changed)}"


def _generated(pipeline: dict[str, Any]) -> list[str]:
    """Return the outputs that git may have, or their folders where a matrix gives the names."""
    outs = [out for stage in pipeline["stages"].values() for out in stage.get("outs", [])]
    for stage in pipeline["stages"].values():
        outs += stage.get("metrics", []) + stage.get("plots", [])
    names = {name for out in outs if isinstance(out, dict) for name in out}
    return sorted({name.partition("/${")[0] for name in names})


def _git(*words: str) -> list[str]:
    """Run git and return the lines that it prints."""
    done = run_git(Path(), *words)
    if done.returncode != 0:
        reason = " ".join(done.stderr.decode(errors="replace").split())
        raise InputError(f"git {words[0]}: {reason}; mend this and run 'foldwise reset' again")
    return os.fsdecode(done.stdout).splitlines()
