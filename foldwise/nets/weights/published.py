"""The weights that torchvision and timm publish under names."""

import importlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from foldwise.core.errors import did_you_mean
from foldwise.files.catalogue import TIMM_PREFIX, TORCHVISION_MODELS, ZOO
from foldwise.nets.weights.checkpoint import WeightsError
from foldwise.nets.weights.tensors import TrainedOn

DEFAULT = "DEFAULT"  # name of the weights that torchvision, or timm, recommends
# torchvision sets `transform_input` when it loads these weights itself. Google trained them with
# mean and std 0.5, not with the normalisation that torchvision states.
FROM_GOOGLE = ("googlenet", "inception_v3")
HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class PublishedWeights:
    """Where published weights are, and on which images they were trained.

    Attributes:
        title: Their name and their architecture.
        location: Address of the file, or repository on the hub of Hugging Face.
        trained_on: Their training images; None if unknown.
        revision: Branch, tag or commit of the repository; None: its main branch.
    """

    title: str
    location: str
    trained_on: TrainedOn | None
    revision: str | None = None


def find_published(architecture: str, name: str) -> PublishedWeights:
    """Return the weights that torchvision or timm publish under a name.

    Args:
        architecture: Name of the architecture in params.yaml.
        name: Name of the weights, such as IMAGENET1K_V1.

    Raises:
        WeightsError: If the architecture has no weights of that name; lists those that it has.
    """
    if architecture in TORCHVISION_MODELS:
        return _torchvision_weights(architecture, name)
    if architecture.startswith(TIMM_PREFIX):
        return _timm_weights(architecture.removeprefix(TIMM_PREFIX), name)
    if architecture in ZOO:
        module = importlib.import_module(f"foldwise.nets.zoo.{architecture}")
        if hasattr(module, "WEIGHTS_OF"):
            return find_published(module.WEIGHTS_OF, name)
    raise WeightsError(f"{architecture} has no published weights; give a file or an https address")


def describe_images(
    data: str, shape: Sequence[int], mean: Sequence[float], std: Sequence[float]
) -> TrainedOn:
    """Return the description of training images of a shape: channels, height and width."""
    channels, height, width = shape
    return TrainedOn(
        data=data, channels=channels, height=height, width=width, mean=list(mean), std=list(std)
    )


# By SHA-256: files that do not say on which images they were trained. EfficientNet-Lite0 takes
# pixel values of 0 to 255 as (value - 127) / 128.
TRAINED_ON = {
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db": describe_images(
        "ImageNet", (3, 224, 224), [127 / 255] * 3, [128 / 255] * 3
    )
}


def _torchvision_weights(architecture: str, name: str) -> PublishedWeights:
    from foldwise.nets.from_library import models

    members = models.get_model_weights(architecture).__members__
    _require_known(name, members, f"torchvision's {architecture}")
    weights = members[name]
    preset, (side,) = weights.transforms(), weights.transforms().crop_size
    mean, std = (HALF, HALF) if architecture in FROM_GOOGLE else (preset.mean, preset.std)
    title = f"{weights.name} of torchvision's {architecture}"
    shape = (len(preset.mean), side, side)
    return PublishedWeights(title, weights.url, describe_images("ImageNet", shape, mean, std))


def _timm_weights(architecture: str, name: str) -> PublishedWeights:
    import timm

    models = timm.list_models(f"{architecture}.*", pretrained=True)
    tags = [model.partition(".")[2] for model in models]
    _require_known(name, [*tags, *([DEFAULT] if tags else [])], f"timm's {architecture}")
    tag = "" if name == DEFAULT else f".{name}"
    config: Any = timm.get_pretrained_cfg(f"{architecture}{tag}")
    title, data = f"{config.tag} of timm's {architecture}", f"the data of {config.tag}"
    trained_on = describe_images(data, config.input_size, config.mean, config.std)
    return PublishedWeights(title, config.hf_hub_id or config.url, trained_on)


def _require_known(name: str, known: Iterable[str], publisher: str) -> None:
    names = list(known)
    if name not in names:
        near = did_you_mean(name, names)
        raise WeightsError(f"{publisher} has the weights {', '.join(names) or 'none'}{near}")
