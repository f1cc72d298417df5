"""What a worker has of what decides the bits of a result."""

from pathlib import Path

from stages.contracts.json_file import write_text
from stages.contracts.versions import versions
from stages.train.params import HardwareSection

KEPT = Path(".dvc/tmp/precision")  # loading torch takes seconds, and folds of a worker share it


def look(section: HardwareSection) -> dict[str, str]:
    """Return versions and precision of this worker.

    Raises:
        InputError: If the section asks for CUDA and there is none.
    """
    if not KEPT.is_file():
        from stages.train.hardware import choose_hardware

        write_text(KEPT, choose_hardware(section).precision)
    return versions() | {"precision": KEPT.read_text(encoding="utf-8").strip()}
