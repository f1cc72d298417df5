"""The machine: CPU model, package versions, memory; arrays in chunks."""

import os
import platform
import resource
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from numpy.typing import DTypeLike, NDArray

from foldwise.core.errors import written_file

PACKAGES = ("numpy", "torch", "torchvision")  # another version may change the last bits of a result
PROCESS = Path("/proc/self")  # Linux only
KIBIBYTE = 1024  # bytes: the unit of /proc, and of getrusage except on macOS
DATA = ".npy"  # suffix of memory-mapped files
CHUNK_BYTES = 2**25  # many small images, or a few large ones


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that compute, without importing them."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def chunks(n_rows: int, row_bytes: int) -> Iterator[slice]:
    """Yield slices that cover all rows of an array in order, so that it need not fit in memory.

    Each slice holds at most `CHUNK_BYTES`, or a single row.

    Args:
        n_rows: Of the array.
        row_bytes: Of one row, at least 1.
    """
    step = max(1, CHUNK_BYTES // row_bytes)
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def create_npy(path: Path, dtype: "DTypeLike", shape: tuple[int, ...]) -> "NDArray[Any]":
    """Create a memory-mapped array, to be filled in place; its space on the disk is reserved.

    Without its space, the system ends the process (SIGBUS) when the disk is full.

    Raises:
        OSError: If the disk has too little space.
    """
    from numpy.lib.format import open_memmap  # here: slow to import, and check needs no arrays

    path.parent.mkdir(parents=True, exist_ok=True)
    with written_file(path):
        array: NDArray[Any] = open_memmap(path, mode="w+", dtype=dtype, shape=shape)
        if hasattr(os, "posix_fallocate"):  # not on macOS
            with path.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array


CPU_INFO = Path("/proc/cpuinfo")  # Linux only


def cpu_model() -> str:
    """Return the model name of the CPU, for example "AMD EPYC 9R14" or "Apple M1".

    Linux on ARM has numbers instead: "aarch64, CPU implementer 0x41, CPU part 0xd0c". Where there
    is neither, the architecture.
    """
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        return result.stdout.strip() or platform.machine()
    lines = CPU_INFO.read_text().splitlines() if CPU_INFO.exists() else []
    facts = {key.strip(): value.strip() for key, _, value in (row.partition(":") for row in lines)}
    if name := facts.get("model name"):
        return name
    numbers = [f"{key} {facts[key]}" for key in ("CPU implementer", "CPU part") if key in facts]
    return ", ".join([platform.machine(), *numbers])


SYSTEM = Path("/")  # below it, Linux describes itself
# Of a control group, which containers and batch systems use: limit, use, and the key in memory.stat
# of files that the kernel drops when memory is short. Version 2, then version 1.
GROUP_FILES = (
    ("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
    (
        "sys/fs/cgroup/memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "total_inactive_file",
    ),
)


def available_memory_bytes(system: Path = SYSTEM) -> int | None:
    """Return the memory that new processes can get without swapping; None except on Linux.

    The least of what the machine has and of what the control groups of this process allow.

    Args:
        system: The root folder.
    """
    meminfo = system / "proc/meminfo"
    if not meminfo.exists():
        return None
    free = int(_fact(meminfo, "MemAvailable:")) * KIBIBYTE
    lines = (system / "proc/self/cgroup").read_text().splitlines()
    own = [line.split(":", 2) for line in lines]  # number, controllers, path
    paths = [path for _, kind, path in own if kind in ("", "memory")]
    for folder, limit, used, dropped in GROUP_FILES:
        root = system / folder
        for group in {g for path in paths for g in (root / path[1:], *(root / path[1:]).parents)}:
            # In a container, the path may be that of the host, and does not exist.
            if not (group / limit).exists() or (allowed := (group / limit).read_text()) == "max\n":
                continue
            rest = int(allowed) - int((group / used).read_text())
            free = min(free, rest + int(_fact(group / "memory.stat", dropped)))
    return max(0, free)


def _fact(path: Path, key: str) -> str:
    """Return the value of a key in a file of the kernel with a key and its value on each line."""
    lines = (line.split() for line in path.read_text().splitlines())
    return next(value for name, value, *_ in lines if name == key)


def peak_memory_bytes() -> int:
    """Return the largest resident set so far, with libraries, without memory-mapped arrays.

    The system takes the pages of mapped arrays back when it needs them. Counting them would make
    the peak as large as the data set wherever memory is free. Mapped pages stay where memory is
    free, so the amount that is resident now is subtracted. Without /proc they do count.
    """
    if not PROCESS.exists():
        unit = 1 if sys.platform == "darwin" else KIBIBYTE
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    # Not getrusage: Linux passes the value of a large parent on to the program that it starts.
    status = (PROCESS / "status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in status if line.startswith("VmHWM:"))
    return int(peak) * KIBIBYTE - mapped_arrays_bytes((PROCESS / "smaps").read_text())


def mapped_arrays_bytes(smaps: str) -> int:
    """Return the resident bytes of memory-mapped arrays.

    Args:
        smaps: Text of /proc/PID/smaps: per mapping a line that ends with its file, then its facts.
    """
    total, is_array = 0, False
    for line in smaps.splitlines():
        key, *values = line.split()
        if not key.endswith(":"):
            is_array = line.endswith(DATA)
        elif is_array and key == "Rss:":
            total += int(values[0])
    return total * KIBIBYTE
