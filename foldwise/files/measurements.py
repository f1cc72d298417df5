"""Measurements of a machine beside the fold records: latency.json and extraction/NAME.json; in git.

No training depends on them: the clock changes them, but no result.
"""

from pathlib import Path
from typing import NamedTuple

from foldwise.files.base import NonNegative, Positive, Size, Strict, read_json, write_json
from foldwise.files.fold_record import Digest, Machine


class Latency(Strict):
    """reports/models/NAME/latency.json: seconds per image in use, on the CPU in float32."""

    image: Positive  # one image, one thread
    image_all_threads: Positive
    batch: Positive | None  # per image of a batch, one thread; None: too slow to measure
    batch_all_threads: Positive | None
    batch_size: Size
    network: Digest  # of what was measured
    machine: Machine  # its threads are all threads


class Extraction(Strict):
    """reports/extraction/NAME.json: how long the features of the frozen layers took."""

    seconds: NonNegative  # once, for all folds and repeats; 0: there are no features
    machine: Machine | None  # None: there are no features


class Measurements(NamedTuple):
    """What was measured of one architecture outside its trainings."""

    latency: Latency
    extraction: Extraction


def write_latency(path: Path, latency: Latency) -> None:
    """Write a latency."""
    write_json(path, latency)


def read_latency(path: Path) -> Latency:
    """Read a latency."""
    return read_json(path, Latency)


def write_extraction(path: Path, extraction: Extraction) -> None:
    """Write NAME.json of reports/extraction."""
    write_json(path, extraction)


def read_measurements(models: Path, extraction: Path, name: str) -> Measurements:
    """Read both measurements of an architecture below reports/models and reports/extraction."""
    return Measurements(
        read_latency(models / name / "latency.json"),
        read_json(extraction / f"{name}.json", Extraction),
    )
