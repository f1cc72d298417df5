"""Parallel trainings with one thread each, against one training at a time with all threads."""

from statistics import median
from typing import Annotated, Any

from pydantic import Field

from benchmarks.workspace import Workspace
from foldwise.files.base import Strict

LEARNING_RATE_STEP = 1e-6  # a change that makes all trainings stale, and nothing else

Seconds = Annotated[float, Field(gt=0)]


class Parallel(Strict):
    """Seconds of five folds, from stale trainings to the report; both ways take turns."""

    model: str
    cores: int
    sequential: list[Seconds]  # one fold at a time, with as many threads as cores
    parallel: list[Seconds]  # as many folds as cores, with one thread each

    @property
    def ratio(self) -> float:
        """Median ratio of times, sequential / parallel."""
        return median(a / b for a, b in zip(self.sequential, self.parallel, strict=True))


def parallel(workspace: Workspace, model: str, cores: int, repetitions: int) -> Parallel:
    """Return the times of the default comparison with one architecture.

    Args:
        workspace: A clone; it is changed.
        model: The architecture.
        cores: Number of cores.
        repetitions: Repetitions of both ways.
    """
    sequential, in_parallel = [], []
    for number in range(repetitions):
        make_stale(workspace, model, cores, 2 * number)
        sequential.append(workspace.repro())
        make_stale(workspace, model, 1, 2 * number + 1)
        in_parallel.append(workspace.run_parallel(cores))
    return Parallel(model=model, cores=cores, sequential=sequential, parallel=in_parallel)


def make_stale(workspace: Workspace, model: str, threads: int, number: int) -> None:
    """Make all trainings stale, and no other stage.

    Args:
        workspace: A clone; afterwards its comparison has one architecture.
        model: The architecture.
        threads: Threads of a training.
        number: A new number for each call.
    """
    params: dict[str, Any] = {
        "model": model,
        "candidates": [model, model, model],
        "hardware": {"threads": threads},
        "train": {"learning_rate": 0.002 + LEARNING_RATE_STEP * number},
    }
    workspace.set(params)
    workspace.repro("extract", "forecast")  # not measured
