"""Latency of a network in use, measured on the CPU of this machine."""

import hashlib
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn

from foldwise.core.errors import InputError
from foldwise.core.machine import cpu_model, versions
from foldwise.core.process import count_cores
from foldwise.files.fold_record import Machine
from foldwise.files.measurements import Latency, read_latency, write_latency
from foldwise.files.network import Network
from foldwise.nets.network import construct

BATCH_SIZE = 8  # images
SECONDS, MOST = 0.05, 30  # limits of the repetitions of one measurement
MOST_BATCH_SECONDS = 1.0  # a batch that takes longer is not measured
# What the time depends on, of network.json: no setting of the training.
MEASURED = {"builder", "settings", "channels", "height", "width", "n_classes"}
MEASURED |= {"code", "weights_sha256"}


def latency_of(network: Network, weights: dict[str, Tensor], kept: Path) -> Latency:
    """Return the latency of a network on this machine, measured only once.

    So a second build, or one with other settings of the training, changes no report.

    Args:
        network: The network to measure.
        weights: Its pretrained tensors; empty if there are none.
        kept: File of an earlier measurement; written if it is of another network or machine.
    """
    machine = Machine(
        cpu=cpu_model(),
        device="cpu",
        precision="float32",
        threads=count_cores(),
        versions=versions(),
    )
    digest = hashlib.sha256(network.model_dump_json(include=MEASURED).encode()).hexdigest()
    try:
        earlier = read_latency(kept)
        if (earlier.network, earlier.machine) == (digest, machine):
            return earlier
    except InputError:  # missing, or of another version of Foldwise
        pass
    latency = _measure(network, construct(network, weights).eval(), digest, machine)
    write_latency(kept, latency)
    return latency


def _measure(network: Network, module: nn.Module, digest: str, machine: Machine) -> Latency:
    images = torch.rand(BATCH_SIZE, network.channels, network.height, network.width)
    single, batch = (partial(module, images[:n]) for n in (1, BATCH_SIZE))
    image = seconds_of(single, 1)
    with_batch = BATCH_SIZE * image <= MOST_BATCH_SECONDS
    return Latency(
        image=image,
        image_all_threads=seconds_of(single, machine.threads),
        batch=seconds_of(batch, 1) / BATCH_SIZE if with_batch else None,
        batch_all_threads=seconds_of(batch, machine.threads) / BATCH_SIZE if with_batch else None,
        batch_size=BATCH_SIZE,
        network=digest,
        machine=machine,
    )


@torch.inference_mode()
def seconds_of(run: Callable[[], object], threads: int) -> float:
    """Return the median duration; a first run that is quick only warms up."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        times = [_duration(run)]
        if times[0] < SECONDS:
            times = [_duration(run)]
        while sum(times) < SECONDS and len(times) < MOST:
            times.append(_duration(run))
    finally:
        torch.set_num_threads(before)
    return median(times)


def _duration(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
