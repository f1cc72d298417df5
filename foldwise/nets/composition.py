"""A new layer of a composition, made for what it is given."""

import importlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from pydantic import TypeAdapter
from torch import Tensor, nn

from foldwise.core.errors import InputError
from foldwise.files.layers import (
    Activation,
    AdaptivePool,
    AnyLayer,
    BatchNorm,
    Conv,
    Dropout,
    Flatten,
    GlobalPool,
    Linear,
    Pool,
    Take,
)
from foldwise.nets.reference import parse, take

MAPS = 3  # dimensions of one image's maps: channels, height, width

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "hardswish": nn.Hardswish,
    "mish": nn.Mish,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
}
_POOLS: dict[str, type[nn.MaxPool2d] | type[nn.AvgPool2d]] = {
    "max_pool": nn.MaxPool2d,
    "average_pool": nn.AvgPool2d,
}
_ADAPTIVE_POOLS: dict[str, type[nn.AdaptiveAvgPool2d] | type[nn.AdaptiveMaxPool2d]] = {
    "adaptive_average_pool": nn.AdaptiveAvgPool2d,
    "adaptive_max_pool": nn.AdaptiveMaxPool2d,
    "global_average_pool": nn.AdaptiveAvgPool2d,
    "global_max_pool": nn.AdaptiveMaxPool2d,
}


def make_layer(layer: AnyLayer, given: list[int], n_classes: int) -> nn.Module:
    """Return a layer with fresh weights.

    Args:
        layer: What to make; nothing that is taken.
        given: Shape of one image's maps, or of its line of numbers, before the layer.
        n_classes: Width of a linear layer that sets none.

    Raises:
        ValueError: If the layer takes maps and gets a line of numbers, or the other way round.
    """
    match layer:
        case Conv() | Pool() | AdaptivePool() | GlobalPool():
            return _spatial(layer, _require_maps(given))
        case BatchNorm():
            return nn.BatchNorm2d(given[0]) if len(given) == MAPS else nn.BatchNorm1d(given[0])
        case Linear():
            return nn.Linear(_require_line(given), layer.features or n_classes, bias=layer.bias)
        case Activation() | Dropout() | Flatten():
            return _alike(layer)
        case Take():
            raise AssertionError(layer)


def _alike(layer: Activation | Dropout | Flatten) -> nn.Module:
    """Return a layer that takes anything."""
    match layer:
        case Activation():
            return _ACTIVATIONS[layer.kind]()
        case Dropout():
            return nn.Dropout2d(layer.p) if layer.kind == "dropout2d" else nn.Dropout(layer.p)
        case Flatten():
            return nn.Flatten()


def _spatial(layer: Conv | Pool | AdaptivePool | GlobalPool, channels: int) -> nn.Module:
    match layer:
        case Conv():
            padding = layer.kernel // 2 if layer.padding is None else layer.padding
            if channels % layer.groups or layer.channels % layer.groups:
                raise ValueError(
                    f"has {layer.groups} groups; expected a divisor of the {channels} channels "
                    f"that come in and of the {layer.channels} that go out"
                )
            return nn.Conv2d(
                channels,
                layer.channels,
                layer.kernel,
                layer.stride,
                padding,
                groups=layer.groups,
                bias=layer.bias,
            )
        case Pool():
            return _POOLS[layer.kind](layer.size, layer.stride, layer.padding)
        case AdaptivePool():
            return _ADAPTIVE_POOLS[layer.kind](layer.size)
        case GlobalPool():
            return nn.Sequential(_ADAPTIVE_POOLS[layer.kind](1), nn.Flatten())


def _require_maps(given: list[int]) -> int:
    """Return the number of channels."""
    if len(given) != MAPS:
        raise ValueError(f"gets {given[-1]} numbers in a line; put it before they are flattened")
    return given[0]


def _require_line(given: list[int]) -> int:
    """Return how many numbers there are in a line."""
    if len(given) == MAPS:
        shape = "×".join(map(str, given))
        raise ValueError(f"gets maps of {shape}; put flatten or global_average_pool before it")
    return given[-1]


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
    builder = importlib.import_module(f"foldwise.nets.{source['builder']}")
    whole: nn.Module = builder.build(*sizes, **source["settings"])
    return take(whole, layer.take, f"{place}.take")[0]


def _make(layer: AnyLayer, given: Tensor, n_classes: int, place: str) -> nn.Module:
    try:
        return make_layer(layer, list(given.shape[1:]), n_classes)
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
