"""Training performance as a share of the machine's peak in matrix products."""

import time
from pathlib import Path
from statistics import median
from typing import Annotated

import torch
from pydantic import Field

from benchmarks.process import run_fold
from foldwise.engine.hardware import Hardware, set_up
from foldwise.files.base import Strict
from foldwise.files.dataset import read_info
from foldwise.files.network import read_card, read_network
from foldwise.files.params import read_params
from foldwise.plan.measure import measure_throughput

SIDE = 2048  # of the square matrices
PRODUCTS = 6  # in one measurement
# One forward and twice as much for the backward pass; a multiply-add has two operations.
OPERATIONS = 3 * 2

Positive = Annotated[float, Field(gt=0)]


class Share(Strict):
    """Performance of one network, medians over repetitions."""

    model: str
    side: int  # pixels
    precision: str
    macs: int  # of an image, forward
    images_per_second: Positive  # in training steps, without evaluation
    peak: Positive  # operations per second of matrix products, measured in between
    steady: Positive  # share of the peak in training steps
    whole: Positive  # share of the peak in the whole process of a fold, with evaluation


def shares(folder: Path, repetitions: int, seconds: float) -> Share:
    """Return the performance of a case; peak, steps and a whole fold take turns.

    Args:
        folder: Folder of the case from `benchmarks.case.make`.
        repetitions: Repetitions of all three.
        seconds: Duration of the steps in each repetition.
    """
    sections = ("train", "augment", "extract", "hardware", "forecast")
    params = read_params(folder / "params.yaml", *sections)
    params = params.model_copy(
        update={"forecast": params.forecast.model_copy(update={"seconds": seconds})}
    )
    hardware = set_up(params.hardware)
    network, info = read_network(folder / "network"), read_info(folder / "prepared")
    operations = OPERATIONS * read_card(folder / "summary").macs  # of an image
    peaks, speeds, whole = [], [], []
    for _ in range(repetitions):
        peaks.append(measure_peak(hardware))
        speeds.append(
            next(iter(measure_throughput(network, info, params, hardware).training.values()))
        )
        seconds_of_fold, record = run_fold(folder)
        whole.append(len(record.curves) * record.n_train / seconds_of_fold)
    return Share(
        model=network.name,
        side=network.height,
        precision=hardware.precision,
        macs=operations // OPERATIONS,
        images_per_second=median(speeds),
        peak=median(peaks),
        steady=_share(operations, speeds, peaks),
        whole=_share(operations, whole, peaks),
    )


def _share(operations: int, speeds: list[float], peaks: list[float]) -> float:
    """Return the median share; each speed (images / second) belongs to one peak."""
    pairs = zip(speeds, peaks, strict=True)
    return median(operations * speed / peak for speed, peak in pairs)


def measure_peak(hardware: Hardware) -> float:
    """Return the operations per second of products of square matrices."""
    dtype = torch.bfloat16 if hardware.precision == "bfloat16" else torch.float32
    left, right = (torch.randn(SIDE, SIDE, device=hardware.device).to(dtype) for _ in range(2))
    left @ right
    hardware.wait()
    start = time.perf_counter()
    for _ in range(PRODUCTS):
        left @ right
    hardware.wait()
    return 2 * SIDE**3 * PRODUCTS / (time.perf_counter() - start)
