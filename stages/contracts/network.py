"""data/models/NAME/network.json: the resolved network, all that decides how it trains."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from stages.contracts.json_file import read_json, write_json
from stages.contracts.overrides import Rate, TrainingOverrides
from stages.contracts.strict import Strict

Size = Annotated[int, Field(ge=1)]


class Thaw(Strict):
    """Frozen modules that begin to train."""

    at_epoch: Annotated[int, Field(ge=2)]  # counted from 1; they train from its first step
    layers: list[str]
    learning_rate: Rate | None  # peak, from then on; None: as the rest of the body


class ChannelStatistics(Strict):
    """A normalisation that is the same in every fold, in units of 0 .. 1."""

    mean: list[float]  # (channels,)
    std: list[Annotated[float, Field(gt=0)]]  # (channels,)


class Cut(Strict):
    """Where the network is cut so that what never trains runs once; one of the two is empty.

    With a prefix, what it gives takes the place of the images, and its modules pass it on. With
    a tail, what goes into its only module is all that is needed.
    """

    prefix: list[str]  # modules from the input on, in the order in which they run
    tail: list[str]  # the head


class Network(Strict):
    """network.json: how to make the network again, bit by bit."""

    name: str
    builder: str  # module below stages.build, such as networks.lenet5
    settings: dict[str, Any]  # keyword arguments of its build()
    channels: Size
    height: Size  # pixels
    width: Size  # pixels
    n_classes: Annotated[int, Field(ge=2)]
    heads: list[str]  # modules whose width is the number of classes
    # Modules and parameters that do not train, statistics and dropout included.
    frozen: list[str]
    thaw: list[Thaw]  # by epoch
    cut: Cut | None  # None: nothing can run once
    normalisation: ChannelStatistics | None  # None: that of each fold
    training: TrainingOverrides
    keep_weights: bool  # write what each fold trained
    code: dict[str, str]  # fingerprint of each module of ours that defines the network
    weights_sha256: str | None  # of weights.safetensors; None: from scratch


def write_network(folder: Path, network: Network) -> None:
    """Write network.json."""
    write_json(folder / "network.json", network)


def read_network(folder: Path) -> Network:
    """Read network.json."""
    return read_json(folder / "network.json", Network)
