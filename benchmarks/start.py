"""Overhead of a fold: the run time of its process without the training."""

import sys
from pathlib import Path
from statistics import median
from typing import Annotated

from pydantic import Field

from benchmarks.process import run_fold, seconds_of
from foldwise.files.base import Strict

TORCH = "import os, torch; os._exit(0)"
Positive = Annotated[float, Field(gt=0)]


class Start(Strict):
    """Seconds of whole processes, medians over repetitions."""

    model: str
    fold: Positive  # one fold of few images and one epoch
    training: Positive  # the part of it for training and evaluation
    torch: Positive  # a process that imports torch and ends at once

    @property
    def overhead(self) -> float:
        """Seconds of a fold without its training."""
        return self.fold - self.training


def start(folder: Path, model: str, repetitions: int) -> Start:
    """Return the overhead of a fold; the case should be small.

    Args:
        folder: Folder of the case from `benchmarks.case.make`.
        model: Name of its architecture.
        repetitions: Repetitions; both processes take turns.
    """
    folds, trainings, torches = [], [], []
    for _ in range(repetitions):
        torches.append(seconds_of([sys.executable, "-c", TORCH]))
        seconds, record = run_fold(folder)
        folds.append(seconds)
        trainings.append(record.timing.total_seconds)
    return Start(model=model, fold=median(folds), training=median(trainings), torch=median(torches))
