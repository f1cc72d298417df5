"""A network put together in params.yaml: new layers, and modules taken from known networks.

Yosinski et al. 2014, How transferable are features in deep neural networks?, NIPS, for what
becomes of layers that change networks. Widths are inferred: each new layer is made for what one
image gives it. Only the very first layer is adapted to the data's channels.
"""

import importlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from pydantic import TypeAdapter
from torch import Tensor, nn

from stages.build.layers import make
from stages.build.reference import parse, take
from stages.contracts.command import InputError
from stages.contracts.layers import AnyLayer, Take

COLOURS = 3  # channels of networks for photos, which what is taken further up has, too
# Raised by modules that get shapes for which they were not made.
MISFITS = (RuntimeError, ValueError, AssertionError, IndexError)

_LAYERS: TypeAdapter[list[AnyLayer]] = TypeAdapter(list[AnyLayer])


def build(  # noqa: PLR0913 - four sizes, as every build(), and what is composed
    channels: int,
    height: int,
    width: int,
    n_classes: int,
    name: str,
    layers: list[dict[str, Any]],
    sources: Mapping[str, Any],
) -> nn.Module:
    """Return the composition as a Sequential whose children have the names of the layers.

    Args:
        channels: Of the images.
        height: Of the images.
        width: Of the images.
        n_classes: Width of a linear layer that sets none.
        name: Of the architecture, for errors.
        layers: In the form of `contracts.layers.Layer`.
        sources: Builder and settings of each network from which something is taken.

    Raises:
        InputError: If a module that is taken does not exist, or a layer cannot take what the one
            before gives.
    """
    known = _LAYERS.validate_python(layers)
    _require_names(known, f"build.architectures.{name}.layers")
    # In torch's meta mode this has no contents, as the layers then have none.
    output = torch.zeros(1, channels, height, width)
    composed = nn.Sequential()
    for index, (layer, title) in enumerate(zip(known, names(known), strict=True)):
        place = f"build.architectures.{name}.layers.{index}"
        seen = channels if index == 0 else COLOURS
        if isinstance(layer, Take):
            module = _take(layer, sources, (seen, height, width, n_classes), place)
        else:
            module = _make(layer, output, n_classes, place)
        before = "the layer before gives" if index else "the image is"
        output = _run(module, output, f"{place} ({title})", before)
        composed.add_module(title, module)
    return composed.train()


def _require_names(layers: Iterable[AnyLayer], place: str) -> None:
    """Stop if a layer's own name could not be a module's, or is that of another."""
    own: list[str] = []
    for index, layer in enumerate(layers):
        if layer.name is None:
            continue
        if not re.fullmatch(r"[A-Za-z]\w*", layer.name, re.ASCII):
            raise InputError(
                f"{place}.{index}.name is '{layer.name}'; expected letters, digits and "
                "underscores, a letter first"
            )
        if layer.name in own:
            raise InputError(
                f"{place}.{index}.name is '{layer.name}', the name of another layer; choose another"
            )
        own.append(layer.name)


def names(layers: Iterable[AnyLayer]) -> list[str]:
    """Return the name of each layer's module: its own, or its kind; numbered from the second on."""
    taken: list[str] = []
    for layer in layers:
        slug = parse(layer.take).slug if isinstance(layer, Take) else layer.kind
        title = base = layer.name or slug
        number = 1
        while title in taken:
            number += 1
            title = f"{base}_{number}"
        taken.append(title)
    return taken


def _take(
    layer: Take, sources: Mapping[str, Any], sizes: tuple[int, int, int, int], place: str
) -> nn.Module:
    source = sources[parse(layer.take).network]
    builder = importlib.import_module(f"stages.build.{source['builder']}")
    whole: nn.Module = builder.build(*sizes, **source["settings"])
    return take(whole, layer.take, f"{place}.take")[0]


def _make(layer: AnyLayer, given: Tensor, n_classes: int, place: str) -> nn.Module:
    try:
        return make(layer, list(given.shape[1:]), n_classes)
    except ValueError as error:
        raise InputError(f"{place} ({layer.kind}) {error}") from None


@torch.no_grad()
def _run(module: nn.Module, given: Tensor, place: str, before: str) -> Tensor:
    """Return what a layer makes of one image's maps; draws no random number."""
    module.eval()
    try:
        output: Tensor = module(given)
    except MISFITS as error:
        shape = "×".join(map(str, given.shape[1:]))
        raise InputError(
            f"{place} {_wants(module, given)}; {before} {shape} "
            f"({' '.join(str(error).split())[:160]}); change one of the two"
        ) from None
    return output


def _wants(module: nn.Module, given: Tensor) -> str:
    """Return what a module was made for, by its first layer that says so."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            if given.ndim == 4 and part.in_channels == given.shape[1]:
                return "needs larger maps"
            return f"takes maps of {part.in_channels} channels, {part.in_channels}×h×w"
        if isinstance(part, nn.BatchNorm2d | nn.BatchNorm1d):
            return f"takes {part.num_features} channels"
        if isinstance(part, nn.Linear):
            return f"takes {part.in_features} numbers"
    return "does not take these maps"
