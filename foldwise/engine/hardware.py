"""What happens to memory that a step of training frees."""

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from foldwise.core.errors import InputError
from foldwise.core.machine import cpu_model, versions
from foldwise.engine.crop import crop_kernels
from foldwise.files.fold_record import Machine
from foldwise.files.params import HardwareSection

# Names and numbers of mallopt(3), from glibc's malloc.h.
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4
NEVER = -1


def keep_freed_memory() -> None:
    """Let this process keep the memory that it frees, for its next step.

    Left to itself, glibc gives the large tensors of a step back to the system, which clears each
    page before it lends it anew: 6,000 to 13,000 pages a step of slim_vgg, a quarter of its time.
    It changes no result. Holes between blocks raise the peak: by 1 % of slim_vgg on 28×28, by a
    fifth of resnet18 and vgg11_bn on 224×224, which it speeds up by a sixth and by two thirds.

    Elsewhere than in glibc, where there is no such call, it does nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, NEVER)


def peak_gpu_bytes(device: torch.device) -> int | None:
    """Return the most that tensors have taken on a GPU so far; None on the CPU."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None


Precision = Literal["float32", "bfloat16"]
AMPERE = (8, 0)  # the first CUDA capability with bfloat16 in hardware


@dataclass(frozen=True)
class Hardware:
    """Where the numbers are made.

    Attributes:
        device: Of the model and the batches.
        precision: Of convolutions and matrix products; weights are always float32.
        threads: On the CPU; another number gives other bits.
    """

    device: torch.device
    precision: Precision
    threads: int

    def place(self, module: nn.Module) -> nn.Module:
        """Return a module where the numbers are made, in the form that is fastest there."""
        placed = module.to(self.device).to(memory_format=torch.channels_last)
        return crop_kernels(placed) if self.device.type == "cpu" else placed

    def autocast(self) -> torch.autocast:
        """Return the context in which forward passes run."""
        return torch.autocast(
            self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bfloat16"
        )

    def wait(self) -> None:
        """Return when all work given to the device is done, so that a clock reads true."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def describe(self) -> Machine:
        """Return what the fold record says of the machine."""
        is_cuda = self.device.type == "cuda"
        name = f"cuda {torch.cuda.get_device_name(self.device)}" if is_cuda else "cpu"
        return Machine(
            cpu=cpu_model(),
            device=name,
            precision=self.precision,
            threads=self.threads,
            versions=versions(),
        )


def choose_hardware(section: HardwareSection) -> Hardware:
    """Return what the section asks for; "auto" takes CUDA and bfloat16 where the hardware has them.

    Raises:
        InputError: If it asks for CUDA and there is none.
    """
    has_cuda = torch.cuda.is_available()
    if section.device == "cuda" and not has_cuda:
        raise InputError(
            "hardware.device is 'cuda', and torch finds no CUDA device here; set 'auto' or 'cpu'"
        )
    is_cuda = has_cuda and section.device != "cpu"
    device = torch.device("cuda" if is_cuda else "cpu")
    precision = section.precision
    if precision == "auto":
        precision = "bfloat16" if _has_bfloat16(device) else "float32"
    return Hardware(device, precision, section.threads)


def set_up(section: HardwareSection) -> Hardware:
    """Return the hardware that the section asks for, and fix what else decides the bits.

    That is threads, convolution algorithms, TensorFloat-32. What decides the speed alone, the use
    of freed memory, is set, too.

    On the CPU the same threads give the same bits. On CUDA some backward passes of torch have no
    fixed order of summation (adaptive pooling to more than one pixel, as in VGG, is one); results
    of networks that hold them agree to rounding only.

    Raises:
        InputError: If the section asks for CUDA and there is none.
    """
    hardware = choose_hardware(section)
    keep_freed_memory()
    torch.set_num_threads(hardware.threads)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False  # float32 means float32; bfloat16 is asked for by name
    return hardware


def _has_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is done in hardware; emulated, it is slower than float32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= AMPERE
    # torch 2.11, the oldest supported, has no such call: there a CPU computes in float32.
    capabilities: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))
