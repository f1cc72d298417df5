"""How the time falls with the number of workers, on this machine and in a Ray cluster."""

import importlib.util
import itertools
from pathlib import Path

from benchmarks.case import FOLDS
from benchmarks.ray_nodes import ray_nodes
from benchmarks.together import Seconds, make_stale
from benchmarks.workspace import Workspace
from foldwise.files.base import Strict

MODEL = "lenet5"
REPEATS = (0, 1)


class Workers(Strict):
    """Seconds from stale trainings to the report; repetitions of all numbers in turn."""

    workers: int
    jobs: list[Seconds]  # that many trainings at a time
    nodes: list[Seconds]  # a Ray cluster of that many nodes with one CPU each; empty without Ray


class ByWorkers(Strict):
    """By the number of workers, ascending; each trains with one thread."""

    model: str
    trainings: int
    counts: list[Workers]


def by_workers(workspace: Workspace, cores: int, repetitions: int, folder: Path) -> ByWorkers:
    """Return how long the trainings take, with 1, 2, 4, .. workers, at most one a core.

    Args:
        workspace: A clone; it is changed.
        cores: To use.
        repetitions: Of everything.
        folder: For what the nodes share, and the DVC remote.
    """
    workspace.set({"repeats": list(REPEATS)})
    counts = [Workers(workers=n, jobs=[], nodes=[]) for n in _doubling(cores)]
    has_ray = importlib.util.find_spec("ray") is not None
    if has_ray:
        workspace.share((folder / "remote").resolve())
    numbers = itertools.count()
    for one in counts * repetitions:
        make_stale(workspace, MODEL, 1, next(numbers))
        one.jobs.append(workspace.side_by_side(one.workers))
        if has_ray:
            make_stale(workspace, MODEL, 1, next(numbers))
            with ray_nodes(one.workers, 1, folder / "nodes") as cluster:
                one.nodes.append(workspace.on_cluster(cluster.address))
    return ByWorkers(model=MODEL, trainings=len(REPEATS) * FOLDS, counts=counts)


def _doubling(cores: int) -> list[int]:
    return [2**power for power in range(cores.bit_length())]
