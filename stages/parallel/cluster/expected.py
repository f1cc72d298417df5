"""What must be the same on every worker, since it decides the bits of a result."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from stages.contracts.command import InputError
from stages.contracts.versions import versions
from stages.train.params import HardwareSection

Device = Literal["cpu", "cuda"]


@dataclass(frozen=True)
class Needs:
    """What a fold takes of a worker.

    Attributes:
        threads: CPUs.
        gpus: Share of a GPU, from 0 to 1.
    """

    threads: int
    gpus: float


def choose_needs(section: HardwareSection, here: Device, gpus: float | None) -> Needs:
    """Return what a fold takes of a worker.

    Args:
        section: Of params.yaml.
        here: Where a fold would train on this machine.
        gpus: Asked for; None: 1 where a fold would train on a GPU here, else 0.

    Raises:
        InputError: If the folds would train elsewhere than params.yaml says, or than here.
    """
    if gpus is None:
        gpus = 1.0 if here == "cuda" else 0.0
    if not 0 <= gpus <= 1:
        raise InputError(f"--gpus is {gpus:g}; expected 0 to 1, as 0.5 for two folds a GPU")
    if gpus and section.device == "cpu":
        raise InputError(f"--gpus is {gpus:g} and hardware.device is 'cpu'; set 'cuda' or 'auto'")
    if not gpus and here == "cuda":
        raise InputError(
            f"--gpus is 0 and hardware.device is {section.device!r}, here a GPU; set 'cpu'"
        )
    return Needs(section.threads, gpus)


def expect(section: HardwareSection, here: Device, precision: str, needs: Needs) -> dict[str, str]:
    """Return what each worker must have: versions, and the precision that it computes in.

    Args:
        section: Of params.yaml.
        here: Where a fold would train on this machine.
        precision: In which it would; what "auto" means here.
        needs: Of a fold.

    Raises:
        InputError: If "auto" cannot be told here, since only the workers have GPUs.
    """
    there: Device = "cuda" if needs.gpus else "cpu"
    if section.precision == "auto" and here != there:
        raise InputError(
            "hardware.precision is 'auto', and only the workers have GPUs, perhaps unlike ones; "
            "set 'bfloat16' or 'float32'"
        )
    return versions() | {"precision": precision}


def compare(expected: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Return if a worker is as expected.

    Raises:
        InputError: With each thing that is not.
    """
    unlike = [
        f"{name} {found[name]}, here {value}"
        for name, value in expected.items()
        if found[name] != value
    ]
    if unlike:
        raise InputError(f"on the worker: {'; '.join(unlike)}; make them equal, or bits differ")
