"""weights.safetensors: initial weights in data/models/NAME, trained ones in data/runs/NAME/R-F."""

import hashlib
import json
from pathlib import Path
from typing import Annotated

from pydantic import Field
from safetensors.torch import load, save
from torch import Tensor

from foldwise.core.errors import InputError
from foldwise.files.base import Size, Strict
from foldwise.files.network import read_network

FILE = "weights.safetensors"
PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
METADATA_KEY = "foldwise"  # of the metadata in the header of a safetensors file


class TrainedOn(Strict):
    """The images on which weights were trained."""

    data: Annotated[str, Field(pattern=PRINTABLE)]  # name of the data set
    channels: Size
    height: Size  # pixels
    width: Size  # pixels
    # (channels,) normalisation of pixel values in 0 .. 1
    mean: Annotated[list[Annotated[float, Field(ge=-1e6, le=1e6)]], Field(min_length=1)]
    std: Annotated[list[Annotated[float, Field(gt=0, le=1e6)]], Field(min_length=1)]


def digest_weights(weights: dict[str, Tensor]) -> str:
    """Return the SHA-256 of the file that `write_initial_weights` writes."""
    return hashlib.sha256(save(weights)).hexdigest()


def write_initial_weights(folder: Path, weights: dict[str, Tensor]) -> None:
    """Write the pretrained tensors of a network; without any, remove an earlier file."""
    path = folder / FILE
    if weights:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(save(weights))
    else:
        path.unlink(missing_ok=True)


def read_initial_weights(folder: Path) -> dict[str, Tensor]:
    """Read the pretrained tensors of a network; empty if it is trained from scratch.

    Raises:
        InputError: If the SHA-256 of the file differs from that in network.json.
    """
    expected = read_network(folder).weights_sha256
    if expected is None:
        return {}
    path = folder / FILE
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != expected:
        raise InputError(
            f"{path} is missing or not the file named in {folder / 'network.json'}; run "
            "'dvc repro' to make it again"
        )
    return load(content)


def write_trained_weights(
    folder: Path, weights: dict[str, Tensor] | None, trained_on: TrainedOn
) -> None:
    """Write the trained weights of a fold and their images; None removes an earlier file."""
    if weights is None:
        (folder / FILE).unlink(missing_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    (folder / FILE).write_bytes(save(tensors, {METADATA_KEY: trained_on.model_dump_json()}))


def read_trained_on(content: bytes) -> TrainedOn | None:
    """Return the images on which a safetensors file was trained; None if Foldwise did not write it.

    Args:
        content: The file: 8 bytes with the length of the header, the header, and the tensors.

    Raises:
        ValueError: If the header is damaged.
    """
    end = 8 + int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8:end]).get("__metadata__", {})
    if METADATA_KEY not in metadata:
        return None
    return TrainedOn.model_validate_json(metadata[METADATA_KEY])
