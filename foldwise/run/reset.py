"""Go back to the last commit: parameters of an experiment, generated files, and data.

`git checkout . && dvc checkout` is not enough. An experiment leaves new files behind; one that was
ended leaves its changes staged; and `dvc checkout` fails where a result is not in the cache.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from foldwise.core.errors import InputError
from foldwise.core.git import run_git
from foldwise.files.base import read_yaml
from foldwise.run.dvc import Pipeline
from foldwise.run.repair import LOCK, read_lock, repair_dvc_files

PARAMS, PIPELINE, DATA = "params.yaml", "dvc.yaml", Path("data")
BACKUPS = Path(".dvc/tmp")
EXPERIMENTS = "refs/exps"  # git references of DVC's experiments, also of one that was ended


def reset(pipeline: Pipeline) -> Iterator[str]:
    """Go back to the last commit; yield a line about everything that is not obvious.

    params.yaml goes back only if an experiment wrote it, and then dvc.yaml with it, because its
    slots hold the candidates. Otherwise edits of the user stay. Own files stay.

    Args:
        pipeline: DVC in the current folder, which is the root of the repository.

    Raises:
        InputError: If git or DVC fails, or if there is no commit.
    """
    yield from repair_dvc_files()
    _git("rev-parse", "--verify", "HEAD")
    paths = [str(LOCK), *_generated(read_yaml(Path(PIPELINE)))]
    _git("reset", "--quiet", "HEAD", "--", PARAMS, *paths)
    yield from _reset_params()
    if committed := _git("ls-tree", "-r", "--name-only", "HEAD", *paths):
        _git("restore", "--source=HEAD", "--", *committed)
    new = _git("ls-files", "--others", "--exclude-standard", "--", *paths)
    for name in new:
        Path(name).unlink()
    if new:
        yield f"removed {len(new)} generated files that are not committed"
    folders = _remove_other_outputs()
    pipeline.run("checkout", "--force", "--quiet", "--allow-missing", PIPELINE)
    if tracked := _git("ls-files", "*.dvc"):  # images: changed ones are not overwritten
        pipeline.run("checkout", "--quiet", "--allow-missing", *tracked)
    for folder in sorted(folders, reverse=True):  # to DVC, an empty folder is not missing
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _reset_params() -> Iterator[str]:
    """Restore params.yaml and dvc.yaml if an experiment wrote params.yaml."""
    changed = _git("diff", "--name-only", "HEAD", "--", PARAMS, PIPELINE)
    if not changed:
        return
    names = " and ".join(sorted(changed, reverse=True))
    (digest,) = _git("hash-object", "--", PARAMS)
    refs = _git("for-each-ref", "--format=%(refname)", EXPERIMENTS) if PARAMS in changed else []
    if any(digest in _git("ls-tree", "--object-only", ref, PARAMS) for ref in refs):
        copies = [BACKUPS / f"{Path(name).stem}-before-reset.yaml" for name in changed]
        for name, copy in zip(changed, copies, strict=True):
            shutil.copy(name, copy)
        _git("restore", "--source=HEAD", "--", *changed)
        kept = " and ".join(map(str, copies))
        yield f"committed again: {names}; what the experiment had is in {kept}"
    else:
        yield f"your edits stay in {names}; to drop them: git checkout HEAD {' '.join(changed)}"


def _generated(pipeline: dict[str, Any]) -> list[str]:
    """Return the outputs that git may have, or their folders where a matrix gives the names."""
    outs = [out for stage in pipeline["stages"].values() for out in stage.get("outs", [])]
    for stage in pipeline["stages"].values():
        outs += stage.get("metrics", []) + stage.get("plots", [])
    names = {name for out in outs if isinstance(out, dict) for name in out}
    return sorted({name.partition("/${")[0] for name in names})


def _remove_other_outputs() -> set[Path]:
    """Remove cached outputs that the committed dvc.lock does not have; return their folders.

    Stages depend on whole folders, such as data/models.
    """
    known = {Path(out["path"]) for stage in read_lock().values() for out in stage.get("outs", [])}
    folders = {folder for path in known for folder in path.parents if DATA in folder.parents}
    for path in (path for folder in folders if folder.is_dir() for path in folder.iterdir()):
        if path not in known | folders:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return folders


def _git(*words: str) -> list[str]:
    """Run git and return the lines that it prints."""
    done = run_git(Path(), *words)
    if done.returncode != 0:
        reason = " ".join(done.stderr.decode(errors="replace").split())
        raise InputError(f"git {words[0]}: {reason}; mend this and run 'foldwise reset' again")
    return os.fsdecode(done.stdout).splitlines()
