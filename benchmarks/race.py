"""The races: all contestants take turns, each in its own process."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import mean, median, stdev
from typing import Annotated, Literal

from pydantic import Field

from benchmarks.case import FOLDS, Case
from foldwise.core.process import count_cores
from foldwise.files.base import Strict

Precision = Literal["float32", "bfloat16"]
PEERS = ("plain", "skorch", "lightning")
WORKERS = (0, 1, 2, 4, 8)  # DataLoader processes; each peer gets its best number
MAX_DIFFERENCE = 0.005  # of accuracies; beyond it, a ratio of times is meaningless


class Run(Strict):
    """Result of one repetition."""

    seconds: Annotated[float, Field(gt=0)]  # all folds, without the imports
    accuracies: list[float]  # (folds,)


class Race(Strict):
    """Results of all repetitions; contestants take turns within each repetition."""

    data: str
    model: str
    images: int  # before the split into folds
    epochs: int
    workers: dict[str, int]  # DataLoader processes of each peer
    runs: dict[str, list[Run]]  # by label, for example "foldwise float32"

    def ratio(self, peer: str, ours: str) -> float:
        """Return the median ratio of times, peer / Foldwise."""
        pairs = zip(self.runs[peer], self.runs[ours], strict=True)
        return median(their.seconds / our.seconds for their, our in pairs)

    def difference(self, peer: str, ours: str) -> tuple[float, float]:
        """Return the difference of accuracies, peer - Foldwise, and its standard error."""
        pairs = zip(self.runs[peer], self.runs[ours], strict=True)
        differences = [mean(their.accuracies) - mean(our.accuracies) for their, our in pairs]
        n = len(differences)
        return mean(differences), stdev(differences) / n**0.5 if n > 1 else float("inf")


def label(name: str, precision: Precision) -> str:
    """Return the key of a contestant's runs."""
    return f"{name} {precision}"


def race(
    case: Case,
    folder: Path,
    precisions: Iterable[Precision],
    repetitions: int,
    tell: Callable[[str], None],
) -> Race:
    """Let all contestants train all folds, with a new seed in each repetition.

    Args:
        case: The case.
        folder: Folder of the case.
        precisions: Precisions of Foldwise; the peers use float32.
        repetitions: Repetitions of each contestant.
        tell: Receives a line for each run.
    """
    contestants: list[tuple[str, Precision]] = [("foldwise", precision) for precision in precisions]
    contestants += [(peer, "float32") for peer in PEERS]
    workers = {peer: _best_workers(peer, folder) for peer in PEERS}
    runs: dict[str, list[Run]] = {label(*contestant): [] for contestant in contestants}
    for seed in range(repetitions):
        for name, precision in (
            contestants[seed % len(contestants) :] + contestants[: seed % len(contestants)]
        ):
            every = list(range(FOLDS))
            run = _run(name, folder, precision, every, seed, workers.get(name, 0))
            runs[label(name, precision)].append(run)
            tell(f"{case.name}, {label(name, precision)}, seed {seed}: {run.seconds:.1f} s")
    return Race(
        data=case.title,
        model=case.model,
        images=case.images,
        epochs=case.epochs,
        workers=workers,
        runs=runs,
    )


def _best_workers(peer: str, folder: Path) -> int:
    """Return the number of DataLoader processes, at most one per core, of the fastest fold."""
    numbers = [n for n in WORKERS if n <= count_cores()]
    seconds = {n: _run(peer, folder, "float32", [0], 0, n).seconds for n in numbers}
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
