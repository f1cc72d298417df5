"""What a fold costs beside its training: a process from nothing to nothing."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Annotated

from pydantic import Field

from stages.contracts.features import FeaturesInfo, write_features_info
from stages.contracts.fold_record import read_record
from stages.contracts.strict import Strict

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
        folder: Of the case, as `stages.bench.case.make` left it.
        model: Its network.
        repetitions: Of both processes.
    """
    none = FeaturesInfo(views=[], dtype="float32", reason="every layer trains")
    write_features_info(folder / "features", none)
    folds, trainings, torches = [], [], []
    for _ in range(repetitions):
        torches.append(_seconds([sys.executable, "-c", TORCH]))
        folds.append(_seconds([sys.executable, "-m", "stages.train", *_flags(folder)]))
        trainings.append(read_record(folder / "run" / "record.json").timing.total_seconds)
    return Start(model=model, fold=median(folds), training=median(trainings), torch=median(torches))


def _flags(folder: Path) -> list[str]:
    where = {
        "params": "params.yaml",
        "dataset": "prepared",
        "split": "split",
        "recipe": "recipe",
        "network": "network",
        "features": "features",
        "predictions": "run/0-0",
        "record": "run/record.json",
    }
    paths = [one for flag, name in where.items() for one in (f"--{flag}", str(folder / name))]
    return [*paths, "--repeat", "0", "--fold", "0"]


def _seconds(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begin
