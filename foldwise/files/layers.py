"""Where pretrained weights are from, as params.yaml says it."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from foldwise.core.errors import did_you_mean
from foldwise.files.base import Strict

SUFFIXES = (".pt", ".pth", ".safetensors")
HTTPS = "https://"


class WeightSource(Strict):
    """A source of weights, or none."""

    # A name of torchvision's or timm's (IMAGENET1K_V1), an https address, or a file.
    weights: str | None = None
    weights_sha256: str | None = None  # of the file: other weights, another result
    trust_pickle: bool = False  # run what the file says; only of a file that you made yourself

    @property
    def is_named(self) -> bool:
        """Whether the weights are named in a catalogue, not given as a file or an address."""
        return self.weights is not None and not self.weights.endswith(SUFFIXES)

    @property
    def is_remote(self) -> bool:
        """Whether the weights are given as an address."""
        return self.weights is not None and self.weights.startswith(HTTPS)

    @field_validator("weights")
    @classmethod
    def _is_a_source(cls, weights: str | None) -> str | None:
        if weights is None or (weights.endswith(SUFFIXES) and "://" not in weights):
            return weights
        if weights.startswith(HTTPS) and weights.endswith(SUFFIXES):
            return weights
        if re.fullmatch(r"[A-Za-z0-9_]+", weights):
            return weights
        raise ValueError(
            f"a name such as IMAGENET1K_V1, or a file or an {HTTPS} address that ends in "
            f"{', '.join(SUFFIXES)}"
        )

    @field_validator("weights_sha256")
    @classmethod
    def _is_a_digest(cls, digest: str | None) -> str | None:
        if digest is not None and not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise ValueError("64 lower-case hexadecimal digits, as 'sha256sum FILE' prints them")
        return digest

    @field_validator("trust_pickle")
    @classmethod
    def _has_a_digest(cls, trusted: bool, info: ValidationInfo) -> bool:
        if trusted and info.data.get("weights_sha256") is None:
            raise ValueError("false, or weights_sha256 beside it: trust is in one file, by hash")
        return trusted


Size = Annotated[int, Field(ge=1)]
Padding = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, lt=1)]

# NETWORK.module.module[from:to]; names and numbers of modules, as torch prints them.
REFERENCE = re.compile(r"(\w+)((?:\.\w+)*)(?:\[(\w*)(?:(:)(\w*))?\])?", re.ASCII)


class NewLayer(Strict):
    """A layer with fresh weights; its input has the width that the layer before gives."""

    name: str | None = None  # of the module; None: the kind, numbered where it comes again


class Conv(NewLayer):
    """torch.nn.Conv2d."""

    kind: Literal["conv"]
    channels: Size  # out
    kernel: Size = 3  # pixels a side
    stride: Size = 1
    padding: Padding | None = None  # pixels; None: half the kernel, so that stride 1 keeps the size
    groups: Size = 1
    bias: bool = True


class BatchNorm(NewLayer):
    """torch.nn.BatchNorm2d on maps, BatchNorm1d after they were flattened."""

    kind: Literal["batch_norm"]


class Activation(NewLayer):
    """A function of each number on its own."""

    kind: Literal[
        "relu", "leaky_relu", "elu", "gelu", "silu", "hardswish", "mish", "sigmoid", "tanh"
    ]


class Pool(NewLayer):
    """torch.nn.MaxPool2d or AvgPool2d."""

    kind: Literal["max_pool", "average_pool"]
    size: Size = 2  # pixels a side
    stride: Size | None = None  # None: the size
    padding: Padding = 0


class AdaptivePool(NewLayer):
    """Pooling to a size, whatever comes."""

    kind: Literal["adaptive_average_pool", "adaptive_max_pool"]
    size: Size  # pixels a side


class GlobalPool(NewLayer):
    """One number a map, flattened."""

    kind: Literal["global_average_pool", "global_max_pool"]


class Dropout(NewLayer):
    """torch.nn.Dropout, or Dropout2d, which drops whole maps."""

    kind: Literal["dropout", "dropout2d"]
    p: Share = 0.5


class Flatten(NewLayer):
    """Maps to one line of numbers."""

    kind: Literal["flatten"]


class Linear(NewLayer):
    """torch.nn.Linear."""

    kind: Literal["linear"]
    features: Size | None = None  # out; None: the classes
    bias: bool = True


class Take(WeightSource):
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
