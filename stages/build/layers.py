"""A new layer of a composition, made for what it is given."""

from torch import nn

from stages.contracts.layers import (
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


def make(layer: AnyLayer, given: list[int], n_classes: int) -> nn.Module:
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
