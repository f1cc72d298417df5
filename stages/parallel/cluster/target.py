"""Where on a cluster the trainings run."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from stages.contracts.command import InputError
from stages.parallel.cluster.expected import Device, Needs, choose_needs, expect
from stages.parallel.cluster.storage import choose_remote
from stages.train.params import HardwareSection


@dataclass(frozen=True)
class Target:
    """A cluster, and what a worker must have.

    Attributes:
        address: Of the cluster, as HOST:PORT; "auto": the one that this machine belongs to.
        remote: Name of the DVC remote for data and results.
        needs: CPUs and GPUs of a fold.
        expected: What each worker must have, or results would differ.
    """

    address: str
    remote: str
    needs: Needs
    expected: Mapping[str, str]


def aim(address: str, remote: str | None, gpus: float | None, section: HardwareSection) -> Target:
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
    from stages.train.hardware import choose_hardware

    here = choose_hardware(section)
    device = cast(Device, here.device.type)
    needs = choose_needs(section, device, gpus)
    expected = expect(section, device, here.precision, needs)
    return Target(address, choose_remote(remote), needs, expected)
