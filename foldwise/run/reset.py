"""Go back to the last commit: parameters of an experiment, generated files, and data.

`git checkout . && dvc checkout` is not enough. An experiment leaves new files behind; one that was
ended leaves its changes staged; and `dvc checkout` fails where a result is not in the cache.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldwise.core.errors import InputError, first_few
from foldwise.core.git import run_git
from foldwise.files.base import read_yaml
from foldwise.run.dvc import Pipeline
from foldwise.run.repair import LOCK, read_lock, repair_dvc_files

PARAMS, PIPELINE, DATA = "params.yaml", "dvc.yaml", Path("data")
BACKUPS = Path(".dvc/tmp")
MODELS = "data/models/"  # outputs that are named after the architecture only
EXPERIMENTS = "refs/exps"  # git references of DVC's experiments, also of one that was ended


def reset(pipeline: Pipeline) -> Iterator[str]:
    """Go back to the last commit; yield a line about everything that is not obvious.

    params.yaml goes back only if an experiment wrote it, and then dvc.yaml with it, because its
    slots hold the candidates. Otherwise edits of the user stay. So do own files: only files are
    removed that have the names of committed ones, of another architecture or fold.

    Args:
        pipeline: DVC in the current folder, which is the root of the repository.

    Raises:
        InputError: If git or DVC fails, or if there is no commit.
    """
    yield from repair_dvc_files()
    _git("rev-parse", "--verify", "HEAD")
    paths = [str(LOCK), *_generated(read_yaml(Path(PIPELINE)))]
    architectures = _architectures()
    _git("reset", "--quiet", "HEAD", "--", PARAMS, *paths)
    yield from _reset_params()
    if committed := _git("ls-tree", "-r", "--name-only", "HEAD", *paths):
        _git("restore", "--source=HEAD", "--", *committed)
    names = _Names(architectures, _git("ls-tree", "-r", "--name-only", "HEAD"))
    new = [Path(name) for name in _git("ls-files", "--others", "--exclude-standard", "--", *paths)]
    kept = [path for path in new if not names.remove(path)]
    if len(kept) < len(new):
        yield f"removed {len(new) - len(kept)} generated files that are not committed"
    outs = {Path(out["path"]) for stage in read_lock().values() for out in stage.get("outs", [])}
    folders = {folder for path in outs for folder in path.parents if DATA in folder.parents}
    names = _Names(architectures, map(str, outs))
    others = (path for folder in folders if folder.is_dir() for path in folder.iterdir())
    kept += [path for path in others if path not in outs | folders and not names.remove(path)]
    if kept:
        yield (
            f"kept {first_few(sorted(map(str, kept)))}, which no stage has written; move them out "
            "of these folders, or stages that read the folders run again"
        )
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


def _architectures() -> set[str]:
    """Return the names of architectures in params.yaml and in each dvc.lock that git has."""
    try:
        params = read_yaml(Path(PARAMS))
    except InputError:  # an edit of the user, which stays
        params = {}
    candidates = params.get("candidates")
    names = {params.get("model"), *(candidates if isinstance(candidates, list) else ())}
    changes = _git("log", "--all", "--format=", "--patch", "--unified=0", "--", str(LOCK))
    lines = [*LOCK.read_text(encoding="utf-8").splitlines()] if LOCK.exists() else []
    start = f"- path: {MODELS}"
    names |= {line.partition(start)[2] for line in (*changes, *lines) if start in line}
    return {str(name) for name in names if name}


@dataclass
class _Names:
    """Names of generated files and folders.

    Attributes:
        architectures: The names of architectures.
        known: Generated paths; others differ in the architecture or in numbers.
    """

    architectures: set[str]
    known: Iterable[str]

    def __post_init__(self) -> None:
        self._forms = {self._form(path) for path in self.known}

    def _form(self, path: str) -> tuple[str, ...]:
        return tuple(self._general(part) for part in path.removesuffix(".lock").split("/"))

    def _general(self, part: str) -> str:
        stem = next((s for s in (part, Path(part).stem) if s in self.architectures), None)
        return re.sub(r"\d+", "0", part) if stem is None else part.replace(stem, "NAME", 1)

    def remove(self, path: Path) -> bool:
        """Remove a path, or what is generated in it, and return whether nothing is left."""
        if self._form(str(path)) in self._forms:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            return True
        if not path.is_dir() or path.is_symlink() or not all([*map(self.remove, path.iterdir())]):
            return False
        path.rmdir()
        return True


def _git(*words: str) -> list[str]:
    """Run git and return the lines that it prints."""
    done = run_git(Path(), *words)
    if done.returncode != 0:
        reason = " ".join(done.stderr.decode(errors="replace").split())
        raise InputError(f"git {words[0]}: {reason}; mend this and run 'foldwise reset' again")
    return os.fsdecode(done.stdout).splitlines()
