"""data/models/NAME: the resolved network, all that decides how it trains; train depends on it."""

import hashlib
from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field
from safetensors.torch import load, save

from stages.contracts.command import InputError
from stages.contracts.json_file import read_json, write_json
from stages.contracts.overrides import TrainingOverrides
from stages.contracts.strict import Strict

Size = Annotated[int, Field(ge=1)]

WEIGHTS = "weights.safetensors"


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


def digest(weights: dict[str, torch.Tensor]) -> str:
    """Return the SHA-256 that weights.safetensors will have."""
    return hashlib.sha256(save(weights)).hexdigest()


def write_network(folder: Path, network: Network, weights: dict[str, torch.Tensor] | None) -> None:
    """Write network.json and, if there are any, weights.safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / WEIGHTS
    if weights is None:
        path.unlink(missing_ok=True)  # of an earlier network
    else:
        path.write_bytes(save(weights))
    write_json(folder / "network.json", network)


def read_network(folder: Path) -> Network:
    """Read network.json."""
    return read_json(folder / "network.json", Network)


def read_weights(folder: Path) -> dict[str, torch.Tensor]:
    """Read the pretrained weights; empty where the network starts from scratch.

    Raises:
        InputError: If they are not those that network.json names.
    """
    expected = read_network(folder).weights_sha256
    if expected is None:
        return {}
    path = folder / WEIGHTS
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != expected:
        raise InputError(
            f"{path} is missing or not what {folder / 'network.json'} names; run 'dvc repro' to "
            "make it anew"
        )
    return load(content)
