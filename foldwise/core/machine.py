"""What computes, by its versions: other ones may give other bits."""

import platform
import resource
import sys
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("numpy", "torch", "torchvision")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that compute, without importing them."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


PROCESS = Path("/proc/self")  # Linux only
KIBIBYTE = 1024  # bytes: the unit of /proc, and of getrusage but for macOS
DATA = ".npy"  # ending of the files that are mapped


def peak_memory_bytes() -> int:
    """Return the largest resident set so far, libraries included, mapped arrays left out.

    Their pages are the system's, which takes them back when it needs them: counted, they would
    be as large as the data set, wherever memory is free. What of them is resident now is
    subtracted, as they stay where memory is free. Without /proc they do count.
    """
    if not PROCESS.exists():
        unit = 1 if sys.platform == "darwin" else KIBIBYTE
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    # Not getrusage's figure: Linux hands that of a large process on to the program it starts.
    status = (PROCESS / "status").read_text().splitlines()
    (highest,) = (line.split()[1] for line in status if line.startswith("VmHWM:"))
    mapped = mapped_arrays_bytes((PROCESS / "smaps").read_text())
    return int(highest) * KIBIBYTE - mapped


def mapped_arrays_bytes(smaps: str) -> int:
    """Return how much of mapped arrays is resident.

    Args:
        smaps: Of /proc; each mapping a line that ends with its file, then lines of facts.
    """
    total, is_array = 0, False
    for line in smaps.splitlines():
        word, *rest = line.split()
        if not word.endswith(":"):
            is_array = line.endswith(DATA)
        elif is_array and word == "Rss:":
            total += int(rest[0])
    return total * KIBIBYTE
