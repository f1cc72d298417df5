"""A network composed in params.yaml: new layers, and layers taken from known networks."""

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from pydantic import TypeAdapter
from torch import Tensor, nn

from foldwise.core.errors import InputError
from foldwise.files.layers import AdaptivePool, AnyLayer, Conv, Linear, PlainLayer, Pool, Take
from foldwise.nets.deferred_init import build_part
from foldwise.nets.reference import parse, take

MAPS = 3  # dimensions of one image's feature maps: channels, height, width
COLOURS = 3  # input channels of the networks from which layers after the first are taken
# Raised by modules that get tensors of a shape for which they were not made.
MISFITS = (RuntimeError, ValueError, AssertionError, IndexError)

_LAYERS: TypeAdapter[list[AnyLayer]] = TypeAdapter(list[AnyLayer])
_FACTORIES: dict[str, Callable[..., nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "hardswish": nn.Hardswish,
    "mish": nn.Mish,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "dropout": nn.Dropout,
    "dropout2d": nn.Dropout2d,
    "max_pool": nn.MaxPool2d,
    "average_pool": nn.AvgPool2d,
    "adaptive_average_pool": nn.AdaptiveAvgPool2d,
    "adaptive_max_pool": nn.AdaptiveMaxPool2d,
    "global_average_pool": nn.AdaptiveAvgPool2d,
    "global_max_pool": nn.AdaptiveMaxPool2d,
    "flatten": nn.Flatten,
}


def build(  # noqa: PLR0913 - the four sizes of every build(), and the composition
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
        n_classes: Output features of a linear layer that sets none.
        name: Of the architecture, for errors.
        layers: `foldwise.files.layers.Layer`, serialised.
        sources: Builder and settings of each network from which layers are taken.

    Raises:
        InputError: If a module to take does not exist, or a layer cannot take the output of the
            layer before.
    """
    specs = _LAYERS.validate_python(layers)
    _require_names(specs, f"build.architectures.{name}.layers")
    # One image without data: on the meta device if the caller constructs the network there.
    output = torch.zeros(1, channels, height, width)
    composed = nn.Sequential()
    for index, (spec, title) in enumerate(zip(specs, names(specs), strict=True)):
        place = f"build.architectures.{name}.layers.{index}"
        if isinstance(spec, Take):
            sizes = (COLOURS if index else channels, height, width, n_classes)
            build_source = partial(_build_source, spec, sources, sizes)
            select = partial(_select, text=spec.take, key=f"{place}.take")
            # On the meta device the whole source needs no memory anyway.
            module = select(build_source()) if output.is_meta else build_part(build_source, select)
        else:
            module = _make(spec, output, n_classes, place)
        producer = "the layer before gives" if index else "the image is"
        output = _run(module, output, f"{place} ({title})", producer)
        composed.add_module(title, module)
    return composed.train()


def names(layers: Sequence[AnyLayer]) -> list[str]:
    """Return the module name of each layer: its own, or its kind, numbered if it occurs again."""
    titles: list[str] = []
    for layer in layers:
        slug = parse(layer.take).slug if isinstance(layer, Take) else layer.kind
        title = base = layer.name or slug
        number = 1
        while title in titles:
            number += 1
            title = f"{base}_{number}"
        titles.append(title)
    return titles


def _require_names(layers: Sequence[AnyLayer], place: str) -> None:
    """Reject a layer name that cannot be a module name or is that of another layer."""
    earlier: set[str] = set()
    for index, layer in enumerate(layers):
        if layer.name is None:
            continue
        if not re.fullmatch(r"[A-Za-z]\w*", layer.name, re.ASCII):
            raise InputError(
                f"{place}.{index}.name is '{layer.name}'; expected letters, digits and "
                "underscores, a letter first"
            )
        if layer.name in earlier:
            raise InputError(
                f"{place}.{index}.name is '{layer.name}', the name of another layer; choose another"
            )
        earlier.add(layer.name)


def _build_source(
    layer: Take, sources: Mapping[str, Any], sizes: tuple[int, int, int, int]
) -> nn.Module:
    source = sources[parse(layer.take).network]
    builder = importlib.import_module(f"foldwise.nets.{source['builder']}")
    whole: nn.Module = builder.build(*sizes, **source["settings"])
    return whole


def _select(whole: nn.Module, text: str, key: str) -> nn.Module:
    return take(whole, text, key)[0]


def _make(layer: AnyLayer, tensor: Tensor, n_classes: int, place: str) -> nn.Module:
    try:
        return make_layer(layer, list(tensor.shape[1:]), n_classes)
    except ValueError as error:
        raise InputError(f"{place} ({layer.kind}) {error}") from None


def make_layer(layer: AnyLayer, shape: list[int], n_classes: int) -> nn.Module:
    """Return a new layer with random weights.

    Args:
        layer: Any layer but a taken one.
        shape: Of its input for one image, without the batch dimension.
        n_classes: Output features of a linear layer that sets none.

    Raises:
        ValueError: If the layer takes feature maps and gets a vector, or the other way round.
    """
    match layer:
        case Conv():
            return _convolution(layer, _require_maps(shape))
        case PlainLayer(kind="batch_norm"):
            return nn.BatchNorm2d(shape[0]) if len(shape) == MAPS else nn.BatchNorm1d(shape[0])
        case Linear():
            return nn.Linear(_require_vector(shape), layer.features or n_classes, bias=layer.bias)
        case PlainLayer(kind="global_average_pool" | "global_max_pool"):
            _require_maps(shape)
            return nn.Sequential(_FACTORIES[layer.kind](1), nn.Flatten())
    if isinstance(layer, Pool | AdaptivePool):
        _require_maps(shape)
    # The other keys of these layers are the arguments of torch's modules, in the same order.
    arguments = layer.model_dump(exclude={"kind", "name"})
    return _FACTORIES[layer.kind](*arguments.values())


def _convolution(layer: Conv, channels: int) -> nn.Module:
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
        layer.kernel // 2 if layer.padding is None else layer.padding,
        groups=layer.groups,
        bias=layer.bias,
    )


def _require_maps(shape: list[int]) -> int:
    """Return the number of channels of feature maps."""
    if len(shape) != MAPS:
        raise ValueError(f"gets a vector of {shape[-1]} numbers; put it before flatten")
    return shape[0]


def _require_vector(shape: list[int]) -> int:
    """Return the length of a vector."""
    if len(shape) == MAPS:
        maps = "×".join(map(str, shape))
        raise ValueError(f"gets maps of {maps}; put flatten or global_average_pool before it")
    return shape[-1]


@torch.no_grad()
def _run(module: nn.Module, tensor: Tensor, place: str, producer: str) -> Tensor:
    """Return the output of a layer in eval mode, which draws no random number."""
    module.eval()
    try:
        output: Tensor = module(tensor)
    except MISFITS as error:
        shape = "×".join(map(str, tensor.shape[1:]))
        raise InputError(
            f"{place} {_expected_input(module, tensor)}; {producer} {shape} "
            f"({' '.join(str(error).split())[:160]}); change one of the two"
        ) from None
    return output


def _expected_input(module: nn.Module, tensor: Tensor) -> str:
    """Return which input a module takes, according to its first layer with parameters."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            if tensor.ndim == 4 and part.in_channels == tensor.shape[1]:
                return "needs larger maps"
            return f"takes maps of {part.in_channels} channels, {part.in_channels}×h×w"
        if isinstance(part, nn.BatchNorm2d | nn.BatchNorm1d):
            return f"takes {part.num_features} channels"
        if isinstance(part, nn.Linear):
            return f"takes {part.in_features} numbers"
    return "does not take these maps"
