"""Overhead of DVC for several numbers of trainings."""

from typing import Annotated

from pydantic import Field

from benchmarks.case import FOLDS
from benchmarks.workspace import SMALL, Workspace
from foldwise.files.base import Strict

REPEATS = (4, 10, 20)  # of five folds: 20, 50 and 100 trainings

Positive = Annotated[float, Field(gt=0)]


class Size(Strict):
    """Overhead of a comparison with one number of trainings, in seconds."""

    trainings: int
    nothing: Positive  # `dvc repro` if everything is up to date
    cached: Positive  # `dvc repro` that restores everything from the run-cache, for each training
    lock_bytes: int  # of dvc.lock


class Growth(Strict):
    """Overhead for ascending numbers of trainings."""

    sizes: list[Size]


def growth(workspace: Workspace, jobs: int) -> Growth:
    """Return the overhead; all trainings are as small as possible.

    Args:
        workspace: A clone; it is changed.
        jobs: Parallel trainings in the first run.
    """
    workspace.set(SMALL)
    return Growth(sizes=[_size(workspace, repeats, jobs) for repeats in REPEATS])


def _size(workspace: Workspace, repeats: int, jobs: int) -> Size:
    workspace.set({"repeats": list(range(repeats))})
    workspace.run_parallel(jobs)
    nothing, lock = workspace.repro(), workspace.path / "dvc.lock"
    size, trainings = lock.stat().st_size, repeats * FOLDS
    lock.unlink()
    return Size(
        trainings=trainings,
        nothing=nothing,
        cached=workspace.repro() / trainings,
        lock_bytes=size,
    )
