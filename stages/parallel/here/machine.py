"""What this machine has to train on."""

import os
import shutil
import subprocess

from stages.parallel.here.slots import visible_gpus


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
