"""How much of what the machine can do at matrix products training reaches."""

import time
from pathlib import Path
from statistics import median
from typing import Annotated

import torch
from pydantic import Field

from benchmarks.process import run_fold
from foldwise.engine.hardware import Hardware, set_up
from foldwise.files.base import Strict
from foldwise.files.card import read_card
from foldwise.files.dataset import read_info
from foldwise.files.network import read_network
from foldwise.files.params import TimingParams, read_params
from foldwise.plan.measure import measure_throughput

SIDE = 2048  # of the square matrices
PRODUCTS = 6  # timed at once
# Forward, and backward twice as much; a multiply-add is two operations.
OPERATIONS = 3 * 2

Positive = Annotated[float, Field(gt=0)]


class Share(Strict):
    """What the steps of one network reach, medians over repetitions."""

    model: str
    side: int  # pixels
    precision: str
    macs: int  # of an image, forward
    images_per_second: Positive  # in steps of training, without evaluation
    peak: Positive  # operations a second of matrix products, measured in between
    steady: Positive  # share of the peak that steps reach: median over the repetitions
    whole: Positive  # the same of a fold's process, from start to end, evaluation included


def shares(folder: Path, repetitions: int, seconds: float) -> Share:
    """Return what the network of a case reaches; peak, steps and a whole fold take turns.

    Args:
        folder: Of the case, as `benchmarks.case.make` left it.
        repetitions: Of all three.
        seconds: Of steps, each time.
    """
    params = read_params(folder / "params.yaml", TimingParams)
    params = params.model_copy(
        update={"forecast": params.forecast.model_copy(update={"seconds": seconds})}
    )
    hardware = set_up(params.hardware)
    network, info = read_network(folder / "network"), read_info(folder / "prepared")
    operations = OPERATIONS * read_card(folder / "summary").macs  # of an image
    peaks, speeds, whole = [], [], []
    for _ in range(repetitions):
        peaks.append(peak(hardware))
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
    """Return the median of what speeds, in images a second, reach of the peaks beside them."""
    each = [operations * speed / most for speed, most in zip(speeds, peaks, strict=True)]
    return median(each)


def peak(hardware: Hardware) -> float:
    """Return the operations a second of products of square matrices."""
    kind = torch.bfloat16 if hardware.precision == "bfloat16" else torch.float32
    one, other = (torch.randn(SIDE, SIDE, device=hardware.device).to(kind) for _ in range(2))
    one @ other
    hardware.wait()
    start = time.perf_counter()
    for _ in range(PRODUCTS):
        one @ other
    hardware.wait()
    return 2 * SIDE**3 * PRODUCTS / (time.perf_counter() - start)
