"""data/models/NAME: the resolved network, all that decides how it trains; train depends on it."""

from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field
from safetensors.torch import load_file, save_file

from stages.contracts.json_file import read_json, write_json
from stages.contracts.overrides import TrainingOverrides
from stages.contracts.strict import Strict

Size = Annotated[int, Field(ge=1)]


class Network(Strict):
    """network.json: how to make the network again, bit by bit."""

    name: str
    builder: str  # module of stages.build.networks
    settings: dict[str, str]  # keyword arguments of its build()
    channels: Size
    height: Size  # pixels
    width: Size  # pixels
    n_classes: Annotated[int, Field(ge=2)]
    frozen: list[str]  # children that do not train, statistics and dropout included
    training: TrainingOverrides
    code: dict[str, str]  # fingerprint of each module of ours that defines the network
    weights_sha256: str | None  # of weights.safetensors; None: from scratch


def write_network(folder: Path, network: Network, weights: dict[str, torch.Tensor] | None) -> None:
    """Write network.json and, if there are any, weights.safetensors."""
    if weights is not None:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(weights, folder / "weights.safetensors")
    write_json(folder / "network.json", network)


def read_network(folder: Path) -> Network:
    """Read network.json."""
    return read_json(folder / "network.json", Network)


def read_weights(folder: Path) -> dict[str, torch.Tensor]:
    """Read the pretrained weights; empty where the network starts from scratch."""
    path = folder / "weights.safetensors"
    return load_file(path) if path.exists() else {}
