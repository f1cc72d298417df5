"""The layers of a composition, as params.yaml and network.json hold them."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from stages.contracts.origin import Origin
from stages.contracts.strict import Strict, did_you_mean

Size = Annotated[int, Field(ge=1)]
Padding = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, lt=1)]

# NETWORK.module.module[from:to]; names and numbers of modules, as torch prints them.
REFERENCE = re.compile(r"(\w+)((?:\.\w+)*)(?:\[(\w*)(?:(:)(\w*))?\])?", re.ASCII)


class New(Strict):
    """A layer with fresh weights; its input has the width that the layer before gives."""

    name: str | None = None  # of the module; None: the kind, numbered where it comes again


class Conv(New):
    """torch.nn.Conv2d."""

    kind: Literal["conv"]
    channels: Size  # out
    kernel: Size = 3  # pixels a side
    stride: Size = 1
    padding: Padding | None = None  # pixels; None: half the kernel, so that stride 1 keeps the size
    groups: Size = 1
    bias: bool = True


class BatchNorm(New):
    """torch.nn.BatchNorm2d on maps, BatchNorm1d after they were flattened."""

    kind: Literal["batch_norm"]


class Activation(New):
    """A function of each number on its own."""

    kind: Literal[
        "relu", "leaky_relu", "elu", "gelu", "silu", "hardswish", "mish", "sigmoid", "tanh"
    ]


class Pool(New):
    """torch.nn.MaxPool2d or AvgPool2d."""

    kind: Literal["max_pool", "average_pool"]
    size: Size = 2  # pixels a side
    stride: Size | None = None  # None: the size
    padding: Padding = 0


class AdaptivePool(New):
    """Pooling to a size, whatever comes."""

    kind: Literal["adaptive_average_pool", "adaptive_max_pool"]
    size: Size  # pixels a side


class GlobalPool(New):
    """One number a map, flattened."""

    kind: Literal["global_average_pool", "global_max_pool"]


class Dropout(New):
    """torch.nn.Dropout, or Dropout2d, which drops whole maps."""

    kind: Literal["dropout", "dropout2d"]
    p: Share = 0.5


class Flatten(New):
    """Maps to one line of numbers."""

    kind: Literal["flatten"]


class Linear(New):
    """torch.nn.Linear."""

    kind: Literal["linear"]
    features: Size | None = None  # out; None: the classes
    bias: bool = True


class Take(Origin):
    """A module, or several in a row, of a known network.

    `resnet18.layer3` is a module, `vgg16_bn.features[7:14]` a slice by number, the end left out
    as in Python, and `resnet18[conv1:layer2]` a span by name, both ends taken.
    """

    kind: Literal["take"]
    take: str
    name: str | None = None
    frozen: bool = False  # never trains

    @field_validator("take")
    @classmethod
    def _is_a_reference(cls, text: str) -> str:
        if not REFERENCE.fullmatch(text):
            raise ValueError(
                "a module of a known network: 'resnet18.layer3', 'vgg16_bn.features[7:14]' or "
                "'resnet18[conv1:layer2]'"
            )
        return text


AnyLayer = Annotated[
    Conv
    | BatchNorm
    | Activation
    | Pool
    | AdaptivePool
    | GlobalPool
    | Dropout
    | Flatten
    | Linear
    | Take,
    Field(discriminator="kind"),
]

# Each kind, with the key that its value means where it is no mapping: `dropout: 0.25`.
KINDS: dict[str, str | None] = {
    "conv": "channels",
    "batch_norm": None,
    **dict.fromkeys(Activation.model_fields["kind"].annotation.__args__),  # type: ignore[union-attr]
    "max_pool": "size",
    "average_pool": "size",
    "adaptive_average_pool": "size",
    "adaptive_max_pool": "size",
    "global_average_pool": None,
    "global_max_pool": None,
    "dropout": "p",
    "dropout2d": "p",
    "flatten": None,
    "linear": "features",
    "take": "take",
}
BESIDE = ("name", "frozen", "weights", "weights_sha256", "trust_pickle")  # keys beside the kind


def _spread(given: object) -> object:
    """Return a layer as written, `conv: {channels: 64}`, in the form with a key `kind`."""
    if isinstance(given, str):
        given = {given: {}}
    if not isinstance(given, Mapping) or "kind" in given:
        return given
    kinds = [key for key in given if key not in BESIDE]
    if len(kinds) != 1 or kinds[0] not in KINDS:
        near = did_you_mean(kinds[0], KINDS) if kinds else ""
        raise ValueError(f"one kind of layer: {near.lstrip('; ') or ', '.join(KINDS)}")
    kind, main = kinds[0], KINDS[kinds[0]]
    value = {} if given[kind] is None else given[kind]
    if not isinstance(value, Mapping):
        if main is None:
            raise ValueError(f"'{kind}' without a value")
        value = {main: value}
    beside: dict[str, Any] = {key: given[key] for key in BESIDE if key in given}
    return {"kind": kind, **value, **beside}


Layer = Annotated[AnyLayer, BeforeValidator(_spread)]
