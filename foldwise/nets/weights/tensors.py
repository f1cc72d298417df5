"""weights.safetensors: tensors of a network, and what they were trained on.

In data/models/NAME what the network starts from, in data/runs/NAME/R-F what a fold trained.
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated

from pydantic import Field
from safetensors.torch import load, save
from torch import Tensor

from foldwise.core.errors import InputError
from foldwise.files.base import Strict
from foldwise.files.network import read_network

FILE = "weights.safetensors"
KEY = "foldwise"  # of the metadata that safetensors keeps beside the tensors


class TrainedOn(Strict):
    """The images that weights know."""

    data: str  # name of the data set
    channels: int
    height: int  # pixels
    width: int  # pixels
    # (channels,) of the normalisation, in units of 0 .. 1
    mean: Annotated[list[float], Field(min_length=1)]
    std: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)]


def digest(weights: dict[str, Tensor]) -> str:
    """Return the SHA-256 that the weights from which a network starts will have as a file."""
    return hashlib.sha256(save(weights)).hexdigest()


def write_start(folder: Path, weights: dict[str, Tensor] | None) -> None:
    """Write the weights from which a network starts; None removes those of an earlier one."""
    path = folder / FILE
    if weights is None:
        path.unlink(missing_ok=True)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(save(weights))


def read_start(folder: Path) -> dict[str, Tensor]:
    """Read the weights from which a network starts; empty where that is from scratch.

    Raises:
        InputError: If they are not those that network.json names.
    """
    expected = read_network(folder).weights_sha256
    if expected is None:
        return {}
    path = folder / FILE
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != expected:
        raise InputError(
            f"{path} is missing or not what {folder / 'network.json'} names; run 'dvc repro' to "
            "make it anew"
        )
    return load(content)


def write_trained(folder: Path, weights: dict[str, Tensor] | None, trained_on: TrainedOn) -> None:
    """Write what a fold trained, and on what; None removes what an earlier one left."""
    if weights is None:
        (folder / FILE).unlink(missing_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: one.detach().cpu().contiguous() for name, one in weights.items()}
    (folder / FILE).write_bytes(save(tensors, {KEY: trained_on.model_dump_json()}))


def read_trained_on(content: bytes) -> TrainedOn | None:
    """Return what weights in safetensors' format were trained on; None if they are not ours.

    Args:
        content: Of the file: the length of a header, in 8 bytes, the header, and the tensors.

    Raises:
        ValueError: If the header is broken.
    """
    end = 8 + int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8:end]).get("__metadata__", {})
    return TrainedOn.model_validate_json(metadata[KEY]) if KEY in metadata else None
