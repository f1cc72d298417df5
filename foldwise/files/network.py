"""An architecture fitted to the data set: network.json to construct it, card.json to report it."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from foldwise.files.base import Count, NonNegative, Positive, Size, Strict, read_json, write_json


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
    # Heads that start as nn.Linear does, because their own random weights are too large.
    restarted: list[str] = Field(default_factory=list)
    # Modules and parameters that do not train, BatchNorm statistics and dropout included.
    frozen: list[str]
    fixed: list[str] = Field(default_factory=list)  # parameters that its own code never trains
    thaw: list[Thaw]  # by epoch
    cut: Cut | None  # None: no part of the network can run once
    normalisation: ChannelStatistics | None  # None: that of each fold
    training: HyperParameters
    # Layers from each parameter to the output, if the learning rate falls from layer to layer.
    depths: dict[str, Count] = Field(default_factory=dict)
    keep_weights: bool  # write the trained weights of each fold
    contiguous: bool = False  # its code needs contiguous tensors, not channels last in memory
    code: dict[str, str]  # fingerprint of each module of ours that defines the network
    weights_sha256: str | None  # of weights.safetensors; None: from scratch

    @property
    def version(self) -> str:
        """SHA-256 of what the user can change of the network and of its hyper-parameters.

        Another release of Foldwise keeps it: its own modules do not count, except the zoo.
        """
        facts = self.model_dump(mode="json", exclude_defaults=True, exclude={"keep_weights"})
        own = {k: v for k, v in self.code.items() if k.endswith(".py") or ".zoo." in k}
        text = json.dumps(facts | {"code": own}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def with_learning_rate(self, rate: float) -> "Network":
        """Return the network with this peak learning rate among its hyper-parameters."""
        training = self.training.model_copy(update={"learning_rate": rate})
        return self.model_copy(update={"training": training})


def write_network(folder: Path, network: Network) -> None:
    """Write network.json."""
    write_json(folder / "network.json", network)


def read_network(folder: Path) -> Network:
    """Read network.json."""
    return read_json(folder / "network.json", Network)


class LoadedWeights(Strict):
    """Which tensors one source of weights provided, in the terms of load_state_dict."""

    source: str  # name, URL or file
    sha256: str
    layer: str  # the layer of a composition that they fill; "" for the whole network
    matched: Count  # tensors that are copied from the source
    missing_keys: list[str]  # tensors of the network that are initialised at random
    unexpected_keys: list[str]  # tensors of the source that the network does not use
    key: str = ""  # keys and prefix under which the tensors are in the file; "" without any
    other_keys: list[str] = Field(default_factory=list)  # of tensors in the file that match as well


class MemoryNeed(Strict):
    """What one process needs to train on a CPU in float32, predicted; in bytes."""

    process_bytes: Count  # Python and the libraries
    weight_bytes: Count  # weights, their gradients and two moments
    image_bytes: Count  # what is kept of each image of a batch until the backward pass

    def with_batches_of(self, n: int) -> int:
        """Return the bytes that training needs with n images a step."""
        return self.process_bytes + self.weight_bytes + n * self.image_bytes


class Card(Strict):
    """reports/models/NAME/card.json: size, cost, schedule and weights of a network; in git."""

    name: str
    title: str  # one line: what it is, and its source
    defined_in: str  # Python module, or the user's file
    input_shape: list[int]  # channels, height, width
    classes: list[str]
    parameters: Count
    trainable_parameters: Count  # at some time
    locked_parameters: Count  # the others: they never train
    macs: Count  # of one image in evaluation
    activation_bytes: Count  # outputs of all layers for one image in float32, by torchinfo
    memory: MemoryNeed  # of training
    smallest_side: Size | None  # pixels; every larger square fits, too; None: certain sizes only
    total_stride: Size | None  # image pixels per pixel of the last feature maps; None: no maps
    policy: str  # which parts train, when, and how fast
    loaded: list[LoadedWeights]  # empty: from scratch
    cautions: list[str]  # what makes it fit the data less
    changes: list[str] = Field(default_factory=list)  # of the network, so that it trains as others
    seen_images: Count = 0  # of this comparison, by its weights; over 0: it is never chosen

    @property
    def starts_frozen(self) -> bool:
        """Whether some of its layers do not train from the first epoch on."""
        return self.policy.startswith("frozen")

    @property
    def weights(self) -> str:
        """The sources of its weights on one line, or "scratch"."""
        sources = [f"{weights.source} (SHA-256 {weights.sha256})" for weights in self.loaded]
        return ", ".join(dict.fromkeys(sources)) or "scratch"


def write_card(folder: Path, card: Card) -> None:
    """Write card.json."""
    write_json(folder / "card.json", card)


def read_card(folder: Path) -> Card:
    """Read card.json."""
    return read_json(folder / "card.json", Card)
