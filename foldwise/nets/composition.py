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
from foldwise.files.dataset import RGB
from foldwise.files.layers import AnyLayer, Conv, Linear, PlainLayer, Take
from foldwise.nets.adapt import first_convolution
from foldwise.nets.deferred_init import build_part
from foldwise.nets.network import MISFITS
from foldwise.nets.reference import parse, take

MAPS = 3  # dimensions of one image's feature maps: channels, height, width

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
    for index, (spec, title) in enumerate(zip(specs, module_names(specs), strict=True)):
        place = f"build.architectures.{name}.layers.{index}"
        if isinstance(spec, Take):
            # A network from which layers after the first are taken is constructed for RGB.
            sizes = (RGB if index else channels, height, width, n_classes)
            module = _taken(spec.take, sources, sizes, f"{place}.take")
            if getattr(module, "aux_logits", False) and spec is not specs[-1]:
                raise InputError(
                    f"{place}.take is '{spec.take}', which has auxiliary heads beside its output; "
                    "make it the last layer, or take parts of it"
                )
        else:
            try:
                module = _new_layer(spec, list(output.shape[1:]), n_classes)
            except ValueError as error:
                raise InputError(f"{place} ({spec.kind}) {error}") from None
        producer = "the output of the layer before" if index else "an image"
        output = _run(module, output, f"{place} ({title})", producer)
        composed.add_module(title, module)
    if output.shape[1:] != (n_classes,):
        raise InputError(
            f"{place} ({title}), the last layer, gives {_text(output.shape[1:])} for an image; "
            f"expected {n_classes} numbers, one for each class: end with linear, after flatten or "
            "global_average_pool where there are maps"
        )
    return composed.train()


def module_names(layers: Sequence[AnyLayer]) -> list[str]:
    """Return the module name of each layer: its own or its kind, numbered if it occurs again."""
    titles: list[str] = []
    for layer in layers:
        text = layer.take.partition("[")[0] if isinstance(layer, Take) else layer.kind
        title = base = layer.name or text.replace(".", "_")
        number = 1
        while title in titles:
            number += 1
            title = f"{base}_{number}"
        titles.append(title)
    return titles


def _require_names(layers: Sequence[AnyLayer], place: str) -> None:
    """Reject a layer name that cannot be a module name or is that of another layer."""
    names = [layer.name for layer in layers]
    for index, name in enumerate(names):
        expected = None
        if name is not None and not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII):
            expected = "letters, digits and underscores, a letter first"
        elif name is not None and name in names[:index]:
            expected = "another name: an earlier layer has it"
        elif name is not None and hasattr(nn.Sequential, name):
            expected = "another name: modules of torch have an attribute of this name"
        if expected is not None:
            raise InputError(f"{place}.{index}.name is '{name}'; expected {expected}")


def _taken(
    text: str, sources: Mapping[str, Any], sizes: tuple[int, int, int, int], key: str
) -> nn.Module:
    """Return the layers of another network to which a key refers."""
    reference = parse(text)
    source = sources[reference.network]
    builder = importlib.import_module(f"foldwise.nets.{source['builder']}")
    build_source = partial(builder.build, *sizes, **source["settings"])

    def select(whole: nn.Module) -> nn.Module:
        return take(whole, reference, key, text)[0]

    return build_part(build_source, select)


def _new_layer(layer: AnyLayer, shape: list[int], n_classes: int) -> nn.Module:
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
    if layer.kind.endswith("pool"):
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
        raise ValueError(
            f"gets maps of {_text(shape)}; put flatten or global_average_pool before it"
        )
    return shape[-1]


@torch.no_grad()
def _run(module: nn.Module, tensor: Tensor, place: str, producer: str) -> Tensor:
    """Return the output of a layer in eval mode, which draws no random number."""
    module.eval()
    try:
        output: object = module(tensor)
        if not isinstance(output, Tensor):
            raise TypeError(f"it returns a {type(output).__name__} and no tensor")  # noqa: TRY301
    except (*MISFITS, TypeError) as error:
        reason = _remedy(module, tensor)
        reason = reason or f"{' '.join(str(error).split())[:160]}; change one of them"
        raise InputError(
            f"{place} cannot take {producer} of shape {_text(tensor.shape[1:])}: {reason}"
        ) from None
    return output


def _remedy(module: nn.Module, tensor: Tensor) -> str:
    """Return what a module takes and what to do, where the message of torch does not say it."""
    if isinstance(module, nn.ModuleList):
        return "it is a list of modules; take one of them, such as [0], or a slice"
    convolution, maps = first_convolution(module), tensor.shape[1:]
    if convolution is not None and len(maps) == MAPS and maps[0] != convolution.in_channels:
        n = convolution.in_channels
        return f"its first convolution takes {n} channels; put 'conv: {n}' before it"
    if isinstance(module, nn.Linear):
        n = module.in_features
        return f"it takes {n} numbers; put 'conv: {n}' and global_average_pool before it"
    return ""


def _text(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))
