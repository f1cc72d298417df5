"""Layers of a composition, and sources of pretrained weights, as params.yaml states them."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from foldwise.core.errors import did_you_mean
from foldwise.files.base import Strict

HTTPS = "https://"
WEIGHT_SOURCES = {  # kind, and the text that names such a source
    "name": re.compile(r"\w+", re.ASCII),  # in torchvision or timm
    "hub": re.compile(r"hf-hub:([\w.-]+/[\w.-]+)(?:@([\w./-]+))?", re.ASCII),
    "package": re.compile(r"package:([A-Za-z_]\w*)/(.+)", re.ASCII),
    "url": re.compile(rf"{HTTPS}.+"),
    "file": re.compile(r"(?!hf-hub:|package:)(?=.*[./])(?!.*://).+"),
}
MAX_SIZE = 10_000  # channels or pixels; the product of four sizes must stay below 2**63
Size = Annotated[int, Field(ge=1, le=MAX_SIZE)]
Padding = Annotated[int, Field(ge=0, le=MAX_SIZE)]


class WeightSource(Strict):
    """A source of pretrained weights, or none."""

    # A name in torchvision or timm (IMAGENET1K_V1), hf-hub:OWNER/NAME, package:MODULE/FILE (data of
    # an installed Python package), an https URL, or a file.
    weights: str | None = None
    weights_sha256: str | None = None  # of the file, because other weights change the result
    weights_key: str | None = None  # of the state_dict in the file; None: the one that fits best
    # order: the same shapes in the same order, under any names.
    weights_match: Literal["name", "order"] = "name"
    trust_pickle: bool = False  # allow the file to run code; only for files that you made yourself

    @property
    def kind_of_source(self) -> str:
        """The kind of the source, a key of WEIGHT_SOURCES; "" without weights."""
        text = self.weights or ""
        return next((kind for kind, form in WEIGHT_SOURCES.items() if form.fullmatch(text)), "")

    @field_validator("weights")
    @classmethod
    def _is_a_source(cls, weights: str | None) -> str | None:
        if weights is None or any(form.fullmatch(weights) for form in WEIGHT_SOURCES.values()):
            return weights
        raise ValueError(
            f"a name such as IMAGENET1K_V1, hf-hub:OWNER/NAME, package:MODULE/FILE, an {HTTPS} "
            "URL, or a file (./FILE if its name has no ending)"
        )

    @field_validator("weights_sha256")
    @classmethod
    def _is_a_digest(cls, digest: str | None) -> str | None:
        if digest is not None and not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise ValueError("64 lower-case hexadecimal digits, the output of 'sha256sum FILE'")
        return digest

    @field_validator("trust_pickle")
    @classmethod
    def _has_a_digest(cls, trusted: bool, info: ValidationInfo) -> bool:
        if trusted and info.data.get("weights_sha256") is None:
            raise ValueError("false, or a weights_sha256: only a file with a known hash is trusted")
        return trusted


# NETWORK.module.module[from:to], with the names and numbers of modules that torch prints.
REFERENCE = re.compile(r"(\w+)((?:\.\w+)*)(?:\[(\w*)(?:(:)(\w*))?\])?", re.ASCII)


# Elementwise functions.
Activation = Literal[
    "relu", "leaky_relu", "elu", "gelu", "silu", "hardswish", "mish", "sigmoid", "tanh"
]


class NewLayer(Strict):
    """A layer with random weights; its input width is the output width of the previous layer."""

    name: str | None = None  # of the module; None: the kind, numbered if it is repeated


class Conv(NewLayer):
    """torch.nn.Conv2d."""

    kind: Literal["conv"]
    channels: Size  # out
    kernel: Size = 3  # pixels a side
    stride: Size = 1
    padding: Padding | None = (
        None  # pixels; None: half the kernel, which keeps the size at stride 1
    )
    groups: Size = 1
    bias: bool = True


class PlainLayer(NewLayer):
    """A layer without settings.

    batch_norm is torch.nn.BatchNorm2d on feature maps, BatchNorm1d after flattening. Global pooling
    gives one number per feature map, flattened.
    """

    kind: Literal["batch_norm", Activation, "global_average_pool", "global_max_pool", "flatten"]


class Pool(NewLayer):
    """torch.nn.MaxPool2d or AvgPool2d."""

    kind: Literal["max_pool", "average_pool"]
    size: Size = 2  # pixels a side
    stride: Size | None = None  # None: the size
    padding: Padding = 0


class AdaptivePool(NewLayer):
    """Pooling to a fixed output size."""

    kind: Literal["adaptive_average_pool", "adaptive_max_pool"]
    size: Size  # pixels a side


class Dropout(NewLayer):
    """torch.nn.Dropout, or Dropout2d, which drops whole feature maps."""

    kind: Literal["dropout", "dropout2d"]
    p: Annotated[float, Field(ge=0, lt=1)] = 0.5  # probability


class Linear(NewLayer):
    """torch.nn.Linear."""

    kind: Literal["linear"]
    features: Size | None = None  # out; None: the number of classes
    bias: bool = True


class Take(WeightSource):
    """A module, or consecutive modules, of a known network.

    `resnet18.layer3` is a module, `vgg16_bn.features[7:14]` a slice without its end as in Python,
    and `resnet18[conv1:layer2]` a span of names with both ends.
    """

    kind: Literal["take"]
    take: str
    name: str | None = None
    frozen: bool = False  # it is never trained

    @property
    def network(self) -> str:
        """The name of the network that the module is taken from."""
        return re.split(r"[.\[]", self.take)[0]

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
    Conv | PlainLayer | Pool | AdaptivePool | Dropout | Linear | Take,
    Field(discriminator="kind"),
]

BESIDE = ("name", "frozen", *WeightSource.model_fields)  # keys beside the kind
# Each kind of layer with the key that is meant by a value alone, such as `dropout: 0.25`: the first
# setting of the layer. None: the layer has no settings.
KINDS: dict[str, str | None] = {
    kind: next((key for key in layer.model_fields if key not in ("kind", *BESIDE)), None)
    for layer in get_args(get_args(AnyLayer)[0])
    for kind in get_args(layer.model_fields["kind"].annotation)
}


def _with_kind(layer: object) -> object:
    """Return a layer as the user writes it, `conv: {channels: 64}`, as a mapping with `kind`."""
    if isinstance(layer, str):
        layer = {layer: {}}
    if not isinstance(layer, Mapping) or "kind" in layer:
        return layer
    kinds = [key for key in layer if key not in BESIDE]
    if len(kinds) > 1:
        raise ValueError(
            "one kind of layer, with settings in braces: conv: {channels: 8, stride: 2}"
        )
    if not kinds or kinds[0] not in KINDS:
        near = did_you_mean(kinds[0], KINDS) if kinds else ""
        raise ValueError(f"one kind of layer: {near.lstrip('; ') or ', '.join(KINDS)}")
    kind, main = kinds[0], KINDS[kinds[0]]
    settings = {} if layer[kind] is None else layer[kind]
    if not isinstance(settings, Mapping):
        if main is None:
            raise ValueError(f"'{kind}' without a value")
        settings = {main: settings}
    return {"kind": kind, **settings, **{key: layer[key] for key in BESIDE if key in layer}}


Layer = Annotated[AnyLayer, BeforeValidator(_with_kind)]
