"""A description of the machine on which a benchmark ran."""

import platform
from importlib.metadata import version

import torch

from foldwise.core.process import count_cores
from foldwise.engine.hardware import Hardware


def describe(hardware: Hardware) -> str:
    """Return the properties of the machine that matter for speed.

    Args:
        hardware: Hardware on which training runs.
    """
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "torchvision"))
    python = f"Python {platform.python_version()}"
    if hardware.device.type == "cuda":
        return f"{torch.cuda.get_device_name(hardware.device)}; {python}, {versions}"
    has_bfloat16 = "with" if hardware.precision == "bfloat16" else "without"
    return (
        f"{count_cores()} {platform.machine()} cores "
        f"({torch.backends.cpu.get_cpu_capability()}, {has_bfloat16} bfloat16), "
        f"{hardware.threads} threads; {python}, {versions}"
    )
