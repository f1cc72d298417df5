"""How many trainings fit side by side, and which GPU each of them gets."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foldwise.core.errors import InputError


@dataclass(frozen=True)
class Slot:
    """Room for one training at a time.

    Attributes:
        gpu: What CUDA_VISIBLE_DEVICES names it; None: the training sees what there is.
    """

    gpu: str | None

    @property
    def environment(self) -> dict[str, str]:
        """What a training here has in its environment beside what all have."""
        return {} if self.gpu is None else {"CUDA_VISIBLE_DEVICES": self.gpu}


def allot(jobs: int | None, threads: int, cores: int, gpus: Sequence[str]) -> list[Slot]:
    """Return the slots, the GPUs dealt out in turn.

    The number of threads decides the bits of a result, so it is given and never changed.

    Args:
        jobs: Slots asked for, at least 1; None: one a GPU or, without any, as many as fit.
        threads: Of one training, at least 1.
        cores: That this process may use.
        gpus: Names of the GPUs to share out; empty: trainings run on the CPU.

    Raises:
        InputError: If more than one job is asked for, and the cores are too few.
    """
    fit = max(1, cores // threads)
    if jobs is None:
        jobs = min(fit, len(gpus)) if gpus else fit
    if jobs < 1:
        raise InputError(f"--jobs is {jobs}; expected at least 1")
    if jobs > fit:
        raise InputError(
            f"--jobs is {jobs}, and hardware.threads of params.yaml {threads}: that needs "
            f"{jobs * threads} cores, and there are {cores}; {_remedy(jobs, threads, cores)}"
        )
    return [Slot(gpus[number % len(gpus)] if gpus else None) for number in range(jobs)]


def _remedy(jobs: int, threads: int, cores: int) -> str:
    fewer = f"take --jobs {max(1, cores // threads)}"
    if jobs > cores or threads == 1:
        return fewer
    return (
        f"{fewer}, or set hardware.threads: {cores // jobs}, which trains all anew, since another "
        "number of threads gives other bits"
    )


def visible_gpus(device: str, environment: Mapping[str, str], listed: str) -> list[str]:
    """Return the GPUs that trainings may use, as CUDA_VISIBLE_DEVICES names them.

    Args:
        device: hardware.device.
        environment: If CUDA_VISIBLE_DEVICES is in it, that decides.
        listed: What `nvidia-smi -L` prints; empty without it. The parts of a divided GPU, indented
            below it, do not count: whoever divides one names them in CUDA_VISIBLE_DEVICES.
    """
    if device == "cpu":
        return []
    named = environment.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        n_gpus = sum(line.startswith("GPU ") for line in listed.splitlines())
        return [str(number) for number in range(n_gpus)]
    names = [name.strip() for name in named.split(",")]
    return [] if "" in names or "-1" in names else names


def count_cores() -> int:
    """Return how many cores this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def find_gpus(device: str) -> list[str]:
    """Return the GPUs that trainings may use, as CUDA_VISIBLE_DEVICES names them.

    Args:
        device: hardware.device.
    """
    listed = ""
    if device != "cpu" and shutil.which("nvidia-smi"):
        # Fails where there is a driver and no GPU: then there is none to list.
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
        listed = done.stdout
    return visible_gpus(device, os.environ, listed)
