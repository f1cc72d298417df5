"""network.json: an architecture fitted to the data set, as build writes and training reads it."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from foldwise.files.base import NonNegative, Positive, Size, Strict, read_json, write_json


class HyperParameters(Strict):
    """Values of the section train that an architecture overrides; None: as in train.

    Only the values that are tuned per architecture. Epochs, batch size and augmentation are the
    same for all architectures, so that the comparison is fair.
    """

    learning_rate: Positive | None = None  # peak; of the heads, where the body has its own rate
    weight_decay: NonNegative | None = None
    body_learning_rate: Positive | None = None  # peak, of all but the heads; None: as the heads
    # Factor of the learning rate from each layer to the previous layer; None: 1.
    layer_decay: Annotated[float, Field(gt=0, le=1)] | None = None


class Thaw(Strict):
    """Frozen modules that train from some epoch on."""

    at_epoch: Annotated[int, Field(ge=2)]  # counted from 1; they train from its first step
    layers: list[str]
    learning_rate: Positive | None  # peak, from then on; None: as the rest of the body


class ChannelStatistics(Strict):
    """A normalisation that is the same in every fold, for pixel values in 0 .. 1."""

    mean: list[float]  # (channels,)
    std: list[Positive]  # (channels,)


class Cut(Strict):
    """Where to cut the network so that frozen layers run once; one of the two lists is empty.

    With a prefix, the output of the prefix replaces the images, and the prefix modules become
    the identity. With a tail, only the input of its one module is needed.
    """

    prefix: list[str]  # modules from the input on, in the order in which they run
    tail: list[str]  # the head


class Network(Strict):
    """All that is needed to construct the network again, bit by bit."""

    name: str
    builder: str  # module below foldwise.nets, such as zoo.lenet5
    settings: dict[str, Any]  # keyword arguments of its build()
    channels: Size
    height: Size  # pixels
    width: Size  # pixels
    n_classes: Annotated[int, Field(ge=2)]
    heads: list[str]  # modules whose width is the number of classes
    # Modules and parameters that do not train, BatchNorm statistics and dropout included.
    frozen: list[str]
    thaw: list[Thaw]  # by epoch
    cut: Cut | None  # None: no part of the network can run once
    normalisation: ChannelStatistics | None  # None: that of each fold
    training: HyperParameters
    keep_weights: bool  # write the trained weights of each fold
    code: dict[str, str]  # fingerprint of each module of ours that defines the network
    weights_sha256: str | None  # of weights.safetensors; None: from scratch


def write_network(folder: Path, network: Network) -> None:
    """Write network.json."""
    write_json(folder / "network.json", network)


def read_network(folder: Path) -> Network:
    """Read network.json."""
    return read_json(folder / "network.json", Network)
