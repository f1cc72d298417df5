"""Run times of whole processes, from start to end."""

import subprocess
import sys
import time
from pathlib import Path

from foldwise.files.features import FeaturesInfo, write_features_info
from foldwise.files.fold_record import FoldRecord, read_record
from foldwise.files.network import read_network
from foldwise.files.params import read_params
from foldwise.files.race import FoldDecision, write_decision
from foldwise.files.tuning import write_rate


def run_fold(folder: Path) -> tuple[float, FoldRecord]:
    """Train the first fold of a case like the pipeline; return seconds and fold record.

    Args:
        folder: Folder of the case from `benchmarks.case.make`.

    Raises:
        subprocess.CalledProcessError: If it fails.
    """
    none = FeaturesInfo(views=[], dtype="float32", reason="every layer trains")
    write_features_info(folder / "features", none)
    network = read_network(folder / "network")
    section = read_params(folder / "params.yaml", "train").train
    write_rate(folder / "rate.json", network.training.learning_rate or section.common_rate)
    write_decision(folder / "race.json", FoldDecision())
    seconds = seconds_of([sys.executable, "-m", "stages.train", *_flags(folder)])
    return seconds, read_record(folder / "run" / "record.json")


def seconds_of(command: list[str]) -> float:
    """Return the run time of a command.

    Args:
        command: The command line.

    Raises:
        subprocess.CalledProcessError: If it fails.
    """
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begin


def _flags(folder: Path) -> list[str]:
    files = {
        "params": "params.yaml",
        "dataset": "prepared",
        "split": "split",
        "recipe": "recipe",
        "network": "network",
        "features": "features",
        "rate": "rate.json",
        "predictions": "run/0-0",
        "record": "run/record.json",
        "forecast": "forecast.json",  # may be missing
        "race": "race.json",
        "first": "first",  # missing: there is no race
    }
    paths = [word for flag, name in files.items() for word in (f"--{flag}", str(folder / name))]
    return [*paths, "--repeat", "0", "--fold", "0"]
