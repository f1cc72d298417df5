"""Everyone who takes part, in turn, again and again: each in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import mean, median, stdev
from typing import Annotated, Literal

from pydantic import Field

from benchmarks.case import FOLDS, Case
from foldwise.files.base import Strict
from foldwise.run.local_backend import count_cores

Precision = Literal["float32", "bfloat16"]
PEERS = ("plain", "skorch", "lightning")
WORKERS = (0, 1, 2, 4, 8)  # processes that load images, of which each gets its best
WITHIN = 0.005  # accuracy; apart by more, a ratio of times says nothing


class Run(Strict):
    """What one repetition gave."""

    seconds: Annotated[float, Field(gt=0)]  # all folds, imports before them left out
    accuracies: list[float]  # (folds,)


class Race(Strict):
    """What all repetitions gave; the repetitions of all are side by side in time."""

    data: str
    model: str
    images: int  # before they are split into folds
    epochs: int
    workers: dict[str, int]  # of each peer
    runs: dict[str, list[Run]]  # by name and precision, as in "foldwise float32"

    def ratio(self, peer: str, ours: str) -> float:
        """Return the median of how many times longer a peer takes."""
        pairs = zip(self.runs[peer], self.runs[ours], strict=True)
        return median(one.seconds / own.seconds for one, own in pairs)

    def apart(self, peer: str, ours: str) -> tuple[float, float]:
        """Return how much more accurate a peer is, and the standard error of that."""
        pairs = zip(self.runs[peer], self.runs[ours], strict=True)
        each = [mean(one.accuracies) - mean(own.accuracies) for one, own in pairs]
        return mean(each), stdev(each) / len(each) ** 0.5 if len(each) > 1 else float("inf")


def label(name: str, precision: Precision) -> str:
    """Return what a contestant's runs go by."""
    return f"{name} {precision}"


def race(
    case: Case,
    folder: Path,
    ours: Iterable[Precision],
    repetitions: int,
    tell: Callable[[str], None],
) -> Race:
    """Let all train all folds, with another seed in each repetition.

    Args:
        case: What to train.
        folder: Of the case.
        ours: Precisions of Foldwise; the peers are float32.
        repetitions: Of everyone.
        tell: Who is told of each run.
    """
    field: list[tuple[str, Precision]] = [("foldwise", precision) for precision in ours]
    field += [(peer, "float32") for peer in PEERS]
    workers = {peer: _best_workers(peer, folder) for peer in PEERS}
    runs: dict[str, list[Run]] = {label(*one): [] for one in field}
    for seed in range(repetitions):
        for name, precision in field[seed % len(field) :] + field[: seed % len(field)]:
            every = list(range(FOLDS))
            one = _run(name, folder, precision, every, seed, workers.get(name, 0))
            runs[label(name, precision)].append(one)
            tell(f"{case.name}, {label(name, precision)}, seed {seed}: {one.seconds:.1f} s")
    return Race(
        data=case.shown,
        model=case.model,
        images=case.images,
        epochs=case.epochs,
        workers=workers,
        runs=runs,
    )


def _best_workers(peer: str, folder: Path) -> int:
    """Return the number of workers, at most one a core, with which a fold is quickest."""
    some = [n for n in WORKERS if n <= count_cores()]
    seconds = {n: _run(peer, folder, "float32", [0], 0, n).seconds for n in some}
    return min(seconds, key=lambda n: seconds[n])


def _run(
    name: str, folder: Path, precision: Precision, folds: list[int], seed: int, workers: int
) -> Run:
    command = [sys.executable, "-m", "benchmarks.contestants", name, "--case", str(folder)]
    command += ["--precision", precision, "--folds", *map(str, folds)]
    command += ["--seed", str(seed), "--workers", str(workers)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ChildProcessError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return Run.model_validate(json.loads(done.stdout.splitlines()[-1]))
