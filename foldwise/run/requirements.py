"""What must be the same on every worker, since it decides the bits of a result."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from foldwise.core.atomic import write_text
from foldwise.core.errors import InputError
from foldwise.core.machine import versions
from foldwise.files.params import HardwareSection
from foldwise.run.remote import choose_remote

Device = Literal["cpu", "cuda"]


@dataclass(frozen=True)
class WorkerResources:
    """What a fold takes of a worker.

    Attributes:
        threads: CPUs.
        gpus: Share of a GPU, from 0 to 1.
    """

    threads: int
    gpus: float


def choose_resources(section: HardwareSection, here: Device, gpus: float | None) -> WorkerResources:
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
    return WorkerResources(section.threads, gpus)


def required_environment(
    section: HardwareSection, here: Device, precision: str, needs: WorkerResources
) -> dict[str, str]:
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


def require_same_environment(expected: Mapping[str, str], found: Mapping[str, str]) -> None:
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


KEPT = Path(".dvc/tmp/precision")  # loading torch takes seconds, and folds of a worker share it


def worker_info(section: HardwareSection) -> dict[str, str]:
    """Return versions and precision of this worker.

    Raises:
        InputError: If the section asks for CUDA and there is none.
    """
    if not KEPT.is_file():
        from foldwise.engine.hardware import choose_hardware

        write_text(KEPT, choose_hardware(section).precision)
    return versions() | {"precision": KEPT.read_text(encoding="utf-8").strip()}


@dataclass(frozen=True)
class RayTarget:
    """A cluster, and what a worker must have.

    Attributes:
        address: Of the cluster, as HOST:PORT; "auto": the one that this machine belongs to.
        remote: Name of the DVC remote for data and results.
        needs: CPUs and GPUs of a fold.
        expected: What each worker must have, or results would differ.
    """

    address: str
    remote: str
    needs: WorkerResources
    expected: Mapping[str, str]


def choose_target(
    address: str, remote: str | None, gpus: float | None, section: HardwareSection
) -> RayTarget:
    """Return the target, as far as it can be checked without the cluster.

    Args:
        address: Of the cluster.
        remote: Name of a DVC remote; None: the default one.
        gpus: Of a fold; None: as params.yaml and this machine say.
        section: Of params.yaml.

    Raises:
        InputError: If Ray is not installed, no remote serves, or folds would train on something
            else than params.yaml says.
    """
    if importlib.util.find_spec("ray") is None:
        raise InputError("--address needs Ray, which is not installed; pip install -e '.[cluster]'")
    # Here, since torch takes seconds to load.
    from foldwise.engine.hardware import choose_hardware

    here = choose_hardware(section)
    device = cast(Device, here.device.type)
    needs = choose_resources(section, device, gpus)
    expected = required_environment(section, device, here.precision, needs)
    return RayTarget(address, choose_remote(remote), needs, expected)
