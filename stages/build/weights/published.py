"""Weights that torchvision and timm publish under a name."""

import importlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from stages.build.catalogue import OWN, TIMM, TORCHVISION
from stages.contracts.command import InputError
from stages.contracts.strict import did_you_mean
from stages.contracts.weights import TrainedOn

DEFAULT = "DEFAULT"  # the name of the weights that torchvision, or timm, thinks best
DIGITS = re.compile(r"-([0-9a-f]{8,64})\.\w+$")  # of a SHA-256, in the name of a file
# torchvision sets `transform_input` where it loads their weights itself; they are Google's, which
# never saw the normalisation that it names.
FROM_GOOGLE = ("googlenet", "inception_v3")


@dataclass(frozen=True)
class Published:
    """Where published weights are, and what they were trained on.

    Attributes:
        title: Their name, and whose they are.
        url: Address of the file; None if they are in a repository.
        repository: On the hub of Hugging Face; None if they have an address.
        trained_on: Its images.
    """

    title: str
    url: str | None
    repository: str | None
    trained_on: TrainedOn

    @property
    def digits(self) -> str:
        """Return the first digits of the file's SHA-256 that its name has; "" if none."""
        match = DIGITS.search(self.url or "")
        return match[1] if match else ""


def look_up_weights(architecture: str, name: str, said: str) -> Published:
    """Return the weights of a name.

    Args:
        architecture: Whose they are.
        name: Of the weights, such as IMAGENET1K_V1.
        said: The key of params.yaml and its value, for errors.

    Raises:
        InputError: If the architecture has no weights of that name; says which it has.
    """
    if architecture in TORCHVISION:
        return _of_torchvision(architecture, name, said)
    if architecture.startswith(TIMM):
        return _of_timm(architecture.removeprefix(TIMM), name, said)
    if architecture in OWN:
        own = importlib.import_module(f"stages.build.networks.{architecture}")
        if hasattr(own, "WEIGHTS_OF"):
            return look_up_weights(own.WEIGHTS_OF, name, said)
    raise InputError(
        f"{said}, but {architecture} has no published weights; give a file or an https address"
    )


def _of_torchvision(architecture: str, name: str, said: str) -> Published:
    from stages.build.light_torchvision import models

    members = models.get_model_weights(architecture).__members__
    _require_known(name, members, f"torchvision's {architecture}", said)
    weights = members[name]
    preset = weights.transforms()
    halves = [0.5, 0.5, 0.5]
    ours = architecture not in FROM_GOOGLE
    trained_on = TrainedOn(
        data="ImageNet",
        channels=len(preset.mean),
        height=preset.crop_size[0],
        width=preset.crop_size[0],
        mean=list(preset.mean) if ours else halves,
        std=list(preset.std) if ours else halves,
    )
    title = f"{weights.name} of torchvision's {architecture}"
    return Published(title, weights.url, None, trained_on)


def _of_timm(architecture: str, name: str, said: str) -> Published:
    import timm

    names = timm.list_models(f"{architecture}.*", pretrained=True)
    tags = [one.partition(".")[2] for one in names]
    _require_known(name, [*tags, *([DEFAULT] if tags else [])], f"timm's {architecture}", said)
    tag = "" if name == DEFAULT else f".{name}"
    found: Any = timm.get_pretrained_cfg(f"{architecture}{tag}")
    channels, height, width = found.input_size
    trained_on = TrainedOn(
        data=f"the data of {found.tag}",
        channels=channels,
        height=height,
        width=width,
        mean=list(found.mean),
        std=list(found.std),
    )
    title = f"{found.tag} of timm's {architecture}"
    repository = found.hf_hub_id or None
    return Published(title, None if repository else found.url, repository, trained_on)


def _require_known(name: str, known: Iterable[str], whose: str, said: str) -> None:
    there_are = list(known)
    if name not in there_are:
        names = ", ".join(there_are) or "none"
        near = did_you_mean(name, there_are)
        raise InputError(f"{said}; {whose} has the weights {names}{near}")
