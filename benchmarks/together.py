"""Trainings side by side, against one after another with as many threads."""

from statistics import median
from typing import Annotated, Any

from pydantic import Field

from benchmarks.workspace import Workspace
from foldwise.files.base import Strict

NUDGE = 1e-6  # of the learning rate: makes all trainings stale, and nothing else

Seconds = Annotated[float, Field(gt=0)]


class Together(Strict):
    """Seconds of five folds on as many cores, from stale to report; repetitions in turn."""

    model: str
    cores: int
    one: list[Seconds]  # fold at a time, as many threads as cores
    all: list[Seconds]  # cores in use by as many folds of one thread each

    @property
    def ratio(self) -> float:
        """How many times longer it takes one after another."""
        return median(a / b for a, b in zip(self.one, self.all, strict=True))


def together(workspace: Workspace, model: str, cores: int, repetitions: int) -> Together:
    """Return how long both take, of the default comparison with one architecture.

    Args:
        workspace: A clone; it is changed.
        model: The architecture.
        cores: To use.
        repetitions: Of both.
    """
    one, every = [], []
    for number in range(repetitions):
        make_stale(workspace, model, cores, 2 * number)
        one.append(workspace.repro())
        make_stale(workspace, model, 1, 2 * number + 1)
        every.append(workspace.side_by_side(cores))
    return Together(model=model, cores=cores, one=one, all=every)


def make_stale(workspace: Workspace, model: str, threads: int, number: int) -> None:
    """Let all trainings be stale, and nothing before them.

    Args:
        workspace: A clone; its comparison has one architecture from then on.
        model: The architecture.
        threads: Of a training.
        number: Another one each time.
    """
    params: dict[str, Any] = {
        "model": model,
        "candidates": [model, model, model],
        "hardware": {"threads": threads},
        "train": {"learning_rate": 0.002 + NUDGE * number},
    }
    workspace.set(params)
    workspace.repro("extract", "forecast")  # not on the clock: only trainings are stale then
