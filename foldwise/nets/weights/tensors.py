"""weights.safetensors: initial weights in data/models/NAME, trained ones in data/runs/NAME/R-F."""

import base64
import hashlib
import io
import json
from pathlib import Path
from typing import IO, Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from safetensors.torch import load, save
from torch import Tensor

from foldwise.core.errors import InputError
from foldwise.files.base import Size, Strict
from foldwise.files.dataset import NO_IMAGES
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


class WeightRecord(Strict):
    """What a file of Foldwise says about the images behind its weights.

    It is one value of the metadata, because safetensors writes several in random order.
    """

    trained_on: TrainedOn | None = None  # None: weights of several files
    seen: str = ""  # digests of all images, in base64; see `pack`

    @property
    def digests(self) -> NDArray[np.uint64]:
        """Digests of all images that the weights have seen, ascending; empty if unknown."""
        return np.frombuffer(base64.b64decode(self.seen, validate=True), "<u8").astype(np.uint64)


def pack(*digests: NDArray[np.uint64]) -> str:
    """Return digests of images as text, each once, ascending."""
    joined = np.unique(np.concatenate([NO_IMAGES, *digests]))
    return base64.b64encode(joined.astype("<u8").tobytes()).decode()


def digest_weights(weights: dict[str, Tensor], seen: NDArray[np.uint64] = NO_IMAGES) -> str:
    """Return the SHA-256 of the file that `write_initial_weights` writes."""
    return hashlib.sha256(_initial_file(weights, seen)).hexdigest()


def _initial_file(weights: dict[str, Tensor], seen: NDArray[np.uint64]) -> bytes:
    record = WeightRecord(seen=pack(seen))
    return save(weights, {METADATA_KEY: record.model_dump_json()} if len(seen) else None)


def write_initial_weights(
    folder: Path, weights: dict[str, Tensor], seen: NDArray[np.uint64] = NO_IMAGES
) -> None:
    """Write the pretrained tensors of a network; without any, remove an earlier file.

    Args:
        folder: Where to write.
        weights: Tensors by name.
        seen: Digests of the images that they are known to have seen.
    """
    path = folder / FILE
    if weights:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_initial_file(weights, seen))
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
    folder: Path,
    weights: dict[str, Tensor] | None,
    trained_on: TrainedOn,
    *seen: NDArray[np.uint64],
) -> None:
    """Write trained weights and the record of their images; None removes an earlier file.

    Args:
        folder: Where to write.
        weights: Tensors by name.
        trained_on: The training images.
        *seen: Digests of the training images, and of all that the initial weights had seen.
    """
    if weights is None:
        (folder / FILE).unlink(missing_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    record = WeightRecord(trained_on=trained_on, seen=pack(*seen))
    (folder / FILE).write_bytes(save(tensors, {METADATA_KEY: record.model_dump_json()}))


def read_initial_seen(folder: Path) -> NDArray[np.uint64]:
    """Return the digests of the images that the initial weights of a network have seen.

    Empty for a network that is trained from scratch, and for weights without a record.
    """
    path = folder / FILE
    if not path.is_file():
        return NO_IMAGES
    with path.open("rb") as file:
        return read_record(file).digests


def read_record(file: IO[bytes] | bytes) -> WeightRecord:
    """Return what a safetensors file says of its images: nothing if Foldwise did not write it.

    Args:
        file: 8 bytes with the length of the header, the header, and the tensors.

    Raises:
        ValueError: If the header is damaged.
    """
    stream = io.BytesIO(file) if isinstance(file, bytes) else file
    header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    text = header.get("__metadata__", {}).get(METADATA_KEY)
    if text is None:
        return WeightRecord()
    if '"seen":' not in text:  # of a version that did not record the single images
        return WeightRecord(trained_on=TrainedOn.model_validate_json(text))
    return WeightRecord.model_validate_json(text)
