"""Run time for several numbers of workers, on this machine and in a Ray cluster."""

import importlib.util
import itertools
from pathlib import Path

from benchmarks.case import FOLDS
from benchmarks.parallel import Seconds, make_stale
from benchmarks.ray_nodes import ray_nodes
from benchmarks.workspace import Workspace
from foldwise.files.base import Strict

MODEL = "lenet5"
REPEATS = (0, 1)


class Workers(Strict):
    """Seconds from stale trainings to the report."""

    workers: int
    jobs: list[Seconds]  # as many parallel trainings
    nodes: list[Seconds]  # a Ray cluster of as many nodes with one CPU each; empty without Ray


class ByWorkers(Strict):
    """Times for ascending numbers of workers; each trains with one thread."""

    model: str
    trainings: int
    counts: list[Workers]


def by_workers(workspace: Workspace, cores: int, repetitions: int, folder: Path) -> ByWorkers:
    """Return the times with 1, 2, 4, … workers, at most one for each core.

    Args:
        workspace: A clone; it is changed.
        cores: Number of cores.
        repetitions: Repetitions; all numbers of workers take turns.
        folder: For files of the nodes and the DVC remote.
    """
    workspace.set({"repeats": list(REPEATS)})
    counts = [Workers(workers=n, jobs=[], nodes=[]) for n in _powers_of_two(cores)]
    has_ray = importlib.util.find_spec("ray") is not None
    if has_ray:
        workspace.share((folder / "remote").resolve())
    numbers = itertools.count()
    for count in counts * repetitions:
        make_stale(workspace, MODEL, 1, next(numbers))
        count.jobs.append(workspace.run_parallel(count.workers))
        if has_ray:
            make_stale(workspace, MODEL, 1, next(numbers))
            with ray_nodes(count.workers, 1, folder / "nodes") as cluster:
                count.nodes.append(workspace.on_cluster(cluster.address))
    return ByWorkers(model=MODEL, trainings=len(REPEATS) * FOLDS, counts=counts)


def _powers_of_two(cores: int) -> list[int]:
    return [2**power for power in range(cores.bit_length())]
