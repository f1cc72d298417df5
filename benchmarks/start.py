"""What a fold costs beside its training: a process from nothing to nothing."""

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
    """Seconds of whole processes, medians over repetitions, in turn."""

    model: str
    fold: Positive  # one, of few images and one epoch
    training: Positive  # of these, the training and its evaluation
    torch: Positive  # a process that imports torch and ends at once

    @property
    def beside(self) -> float:
        """What a fold costs beside its training."""
        return self.fold - self.training


def start(folder: Path, model: str, repetitions: int) -> Start:
    """Return what a fold of a case costs; the case should be small.

    Args:
        folder: Of the case, as `benchmarks.case.make` left it.
        model: Its network.
        repetitions: Of both processes.
    """
    folds, trainings, torches = [], [], []
    for _ in range(repetitions):
        torches.append(seconds_of([sys.executable, "-c", TORCH]))
        seconds, record = run_fold(folder)
        folds.append(seconds)
        trainings.append(record.timing.total_seconds)
    return Start(model=model, fold=median(folds), training=median(trainings), torch=median(torches))
