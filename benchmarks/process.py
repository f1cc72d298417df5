"""Whole processes, from nothing to nothing: what a user waits for."""

import subprocess
import sys
import time
from pathlib import Path

from foldwise.files.features import FeaturesInfo, write_features_info
from foldwise.files.fold_record import FoldRecord, read_record


def run_fold(folder: Path) -> tuple[float, FoldRecord]:
    """Train the first fold of a case as the pipeline does, and return the seconds it took.

    Args:
        folder: Of the case, as `benchmarks.case.make` left it.

    Raises:
        subprocess.CalledProcessError: If it fails.
    """
    none = FeaturesInfo(views=[], dtype="float32", reason="every layer trains")
    write_features_info(folder / "features", none)
    seconds = seconds_of([sys.executable, "-m", "stages.train", *_flags(folder)])
    return seconds, read_record(folder / "run" / "record.json")


def seconds_of(command: list[str]) -> float:
    """Return the seconds from the start of a process to its end.

    Args:
        command: What to run.

    Raises:
        subprocess.CalledProcessError: If it fails.
    """
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begin


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
