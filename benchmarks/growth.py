"""How the cost of DVC grows with the number of trainings."""

from typing import Annotated

from pydantic import Field

from benchmarks.case import FOLDS
from benchmarks.workspace import SMALL, Workspace
from foldwise.files.base import Strict

REPEATS = (4, 10, 20)  # of five folds: 20, 50 and 100 trainings

Positive = Annotated[float, Field(gt=0)]


class Size(Strict):
    """What a comparison of so many trainings costs beside them, in seconds."""

    trainings: int
    nothing: Positive  # `dvc repro` when all is up to date
    cached: Positive  # a `dvc repro` that takes all from its cache, by the training
    lock_bytes: int  # of dvc.lock


class Growth(Strict):
    """By the number of trainings, ascending."""

    sizes: list[Size]


def growth(workspace: Workspace, jobs: int) -> Growth:
    """Return how the cost grows; all trainings are as small as can be.

    Args:
        workspace: A clone; it is changed.
        jobs: Trainings at a time, the first time.
    """
    workspace.set(SMALL)
    return Growth(sizes=[_size(workspace, repeats, jobs) for repeats in REPEATS])


def _size(workspace: Workspace, repeats: int, jobs: int) -> Size:
    workspace.set({"repeats": list(range(repeats))})
    workspace.side_by_side(jobs)
    nothing, lock = workspace.repro(), workspace.path / "dvc.lock"
    size, trainings = lock.stat().st_size, repeats * FOLDS
    lock.unlink()
    return Size(
        trainings=trainings,
        nothing=nothing,
        cached=workspace.repro() / trainings,
        lock_bytes=size,
    )
