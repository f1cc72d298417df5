"""How much of what the machine can do at matrix products training reaches."""

import time
from pathlib import Path
from statistics import median
from typing import Annotated

import torch
from pydantic import Field

from stages.contracts.card import read_card
from stages.contracts.dataset import read_info
from stages.contracts.network import read_network
from stages.contracts.params_file import read_params
from stages.contracts.strict import Strict
from stages.forecast.measure import measure
from stages.forecast.params import TimingParams
from stages.train.hardware import Hardware, choose_hardware

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
    multiply_adds: int  # of an image, forward
    images_per_second: Positive  # in steps of training, without evaluation
    peak: Positive  # operations a second of matrix products, measured in between
    share: Positive  # of the peak: median over the repetitions


def shares(folder: Path, repetitions: int, seconds: float) -> Share:
    """Return what the network of a case reaches; peak and training take turns.

    Args:
        folder: Of the case, as `stages.bench.case.make` left it.
        repetitions: Of both.
        seconds: Of training, each time.
    """
    params = read_params(folder / "params.yaml", TimingParams)
    params = params.model_copy(
        update={"forecast": params.forecast.model_copy(update={"seconds": seconds})}
    )
    hardware = choose_hardware(params.hardware)
    torch.set_num_threads(hardware.threads)
    network, info = read_network(folder / "network"), read_info(folder / "prepared")
    multiply_adds = read_card(folder / "summary").multiply_adds
    peaks, speeds = [], []
    for _ in range(repetitions):
        peaks.append(peak(hardware))
        speeds.append(next(iter(measure(network, info, params, hardware).training.values())))
    every = [
        OPERATIONS * multiply_adds * speed / most for speed, most in zip(speeds, peaks, strict=True)
    ]
    return Share(
        model=network.name,
        side=network.height,
        precision=hardware.precision,
        multiply_adds=multiply_adds,
        images_per_second=median(speeds),
        peak=median(peaks),
        share=median(every),
    )


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
