"""Device, precision, threads and memory behaviour of training."""

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

Precision = Literal["float32", "bfloat16"]

BFLOAT16_CAPABILITY = (8, 0)  # the first CUDA capability with bfloat16 in hardware: Ampere
# Options of mallopt(3), from glibc's malloc.h.
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4
NEVER = -1


@dataclass(frozen=True)
class Hardware:
    """Where and how precisely a network is computed.

    Attributes:
        device: Device of the module and of the batches.
        precision: Precision of convolutions and matrix products; weights are always float32.
        threads: On the CPU; it changes the floating-point results.
    """

    device: torch.device
    precision: Precision
    threads: int

    def place(self, module: nn.Module, *, contiguous: bool = False) -> nn.Module:
        """Return the module on the device, in the form that is fastest there.

        Args:
            module: Any network.
            contiguous: Whether it needs contiguous tensors, not channels last in memory.
        """
        placed = module.to(self.device)
        if not contiguous:
            placed = placed.to(memory_format=torch.channels_last)
        return crop_kernels(placed) if self.device.type == "cpu" else placed

    def autocast(self) -> torch.autocast:
        """Return the context manager in which forward passes run."""
        return torch.autocast(
            self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bfloat16"
        )

    def wait(self) -> None:
        """Wait until the device has done all its work, so that a clock measures it."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def describe(self) -> Machine:
        """Return the description for the fold record."""
        is_cuda = self.device.type == "cuda"
        return Machine(
            cpu=cpu_model(),
            device=f"cuda {torch.cuda.get_device_name(self.device)}" if is_cuda else "cpu",
            precision=self.precision,
            threads=self.threads,
            versions=versions(),
        )


def set_up(section: HardwareSection) -> Hardware:
    """Return the hardware that params.yaml asks for, and configure this process for it.

    Sets threads, deterministic convolution algorithms and full float32 precision, which change
    floating-point results, and the reuse of freed memory, which changes only the speed.

    On the CPU, the same number of threads gives the same floating-point results. On CUDA, some
    backward passes of torch have no fixed order of summation, for example adaptive pooling to
    more than one pixel, as in VGG. Networks with such layers repeat only up to rounding.

    Raises:
        InputError: If the section asks for CUDA and there is none.
    """
    hardware = choose_hardware(section)
    keep_freed_memory()
    torch.set_num_threads(hardware.threads)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    return hardware


def choose_hardware(section: HardwareSection) -> Hardware:
    """Return the hardware that params.yaml asks for.

    "auto" means CUDA, and bfloat16, where the machine has them.

    Raises:
        InputError: If the section asks for CUDA and there is none.
    """
    has_cuda = torch.cuda.is_available()
    if section.device == "cuda" and not has_cuda:
        raise InputError(
            "params.yaml: hardware.device is 'cuda', but torch finds no CUDA device; "
            "set it to 'auto' or 'cpu'"
        )
    device = torch.device("cuda" if has_cuda and section.device != "cpu" else "cpu")
    precision = section.precision
    if precision == "auto":
        precision = "bfloat16" if _has_bfloat16(device) else "float32"
    return Hardware(device, precision, section.threads)


def _has_bfloat16(device: torch.device) -> bool:
    """Return whether the hardware computes bfloat16; emulation is slower than float32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= BFLOAT16_CAPABILITY
    # torch 2.11, the oldest supported version, has no get_capabilities: float32 there.
    capabilities: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))


def keep_freed_memory() -> None:
    """Let this process reuse the memory that a training step frees; other C libraries: no effect.

    By default, glibc returns the large tensors of a step to the system, which clears each page
    before it lends it again: 6,000 to 13,000 pages per step of slim_vgg, a quarter of its time.
    Reuse changes no result. Fragmentation raises peak memory: by 1 % for slim_vgg at 28×28, by a
    fifth for resnet18 and vgg11_bn at 224×224, which become a sixth and two thirds faster.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, NEVER)


def peak_gpu_bytes(device: torch.device) -> int | None:
    """Return the peak memory of tensors on a GPU so far; None on the CPU."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
