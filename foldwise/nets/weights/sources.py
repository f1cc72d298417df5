"""Open a source of pretrained weights: a published name, an https URL, or a file."""

import hashlib
import importlib
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from foldwise.core.errors import did_you_mean
from foldwise.core.limits import TimeLimitError, read_limited, time_limit
from foldwise.files.catalogue import TIMM_PREFIX, TORCHVISION_MODELS, ZOO
from foldwise.files.layers import WeightSource
from foldwise.nets.weights.checkpoint import StateDict, WeightsError, is_html, read_state_dict
from foldwise.nets.weights.download import DEADLINE, MAX_BYTES, download, unreachable
from foldwise.nets.weights.tensors import TrainedOn, read_trained_on

HUB_FILES = ("model.safetensors", "pytorch_model.bin")  # of a repository; the first is preferred
DEFAULT = "DEFAULT"  # name of the weights that torchvision, or timm, recommends
SHA256_PREFIX = re.compile(r"-([0-9a-f]{8,64})\.\w+$")  # in the name of a published file
# torchvision sets `transform_input` when it loads these weights itself. Google trained them with
# mean and std 0.5, not with the normalisation that torchvision states.
FROM_GOOGLE = ("googlenet", "inception_v3")
HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Checkpoint:
    """An opened source of weights.

    Attributes:
        title: Name of the source, for the card.
        sha256: SHA-256 of the file.
        state_dict: Values by name, not checked yet.
        trained_on: Its training images; None if unknown.
    """

    title: str
    sha256: str
    state_dict: StateDict
    trained_on: TrainedOn | None


@dataclass(frozen=True)
class PublishedWeights:
    """Where published weights are, and on which images they were trained.

    Attributes:
        title: Their name and their architecture.
        location: Address of the file, or repository on the hub of Hugging Face.
        trained_on: Their training images.
    """

    title: str
    location: str
    trained_on: TrainedOn


def open_checkpoint(source: WeightSource, architecture: str) -> Checkpoint:
    """Return the content of a source; the bytes that are hashed are those that are parsed.

    Args:
        source: Its location, with a value for `weights`.
        architecture: Architecture to which a published name belongs.

    Raises:
        WeightsError: If the source cannot be read, its SHA-256 differs from the expected one, it
            is damaged, or it would run code and is not trusted.
    """
    text = str(source.weights)
    published = find_published(architecture, text) if source.is_named else None
    content, name = _read(source, published)
    sha256 = hashlib.sha256(content).hexdigest()
    if source.weights_sha256 not in (None, sha256):
        raise WeightsError(
            f"the SHA-256 is {sha256}, but weights_sha256 is {source.weights_sha256}; if the file "
            "is the right one, set weights_sha256 to the former"
        )
    state_dict = read_state_dict(content, name, trust_pickle=source.trust_pickle)
    if published is not None:
        return Checkpoint(published.title, sha256, state_dict, published.trained_on)
    try:
        trained_on = read_trained_on(content) if name.endswith(".safetensors") else None
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(
            f"the record of its training images is damaged ({reason}); train it again"
        ) from None
    return Checkpoint(text, sha256, state_dict, trained_on)


def find_published(architecture: str, name: str) -> PublishedWeights:
    """Return the weights that torchvision or timm publish under a name.

    Args:
        architecture: Name of the architecture in params.yaml.
        name: Name of the weights, such as IMAGENET1K_V1.

    Raises:
        WeightsError: If the architecture has no weights of that name; lists those that it has.
    """
    if architecture in TORCHVISION_MODELS:
        return _torchvision_weights(architecture, name)
    if architecture.startswith(TIMM_PREFIX):
        return _timm_weights(architecture.removeprefix(TIMM_PREFIX), name)
    if architecture in ZOO:
        module = importlib.import_module(f"foldwise.nets.zoo.{architecture}")
        if hasattr(module, "WEIGHTS_OF"):
            return find_published(module.WEIGHTS_OF, name)
    raise WeightsError(f"{architecture} has no published weights; give a file or an https address")


def _torchvision_weights(architecture: str, name: str) -> PublishedWeights:
    from foldwise.nets.from_library import models

    members = models.get_model_weights(architecture).__members__
    _require_known(name, members, f"torchvision's {architecture}")
    weights = members[name]
    preset, (side,) = weights.transforms(), weights.transforms().crop_size
    mean, std = (HALF, HALF) if architecture in FROM_GOOGLE else (preset.mean, preset.std)
    title = f"{weights.name} of torchvision's {architecture}"
    shape = (len(preset.mean), side, side)
    return PublishedWeights(title, weights.url, _trained_on("ImageNet", shape, mean, std))


def _timm_weights(architecture: str, name: str) -> PublishedWeights:
    import timm

    models = timm.list_models(f"{architecture}.*", pretrained=True)
    tags = [model.partition(".")[2] for model in models]
    _require_known(name, [*tags, *([DEFAULT] if tags else [])], f"timm's {architecture}")
    tag = "" if name == DEFAULT else f".{name}"
    config: Any = timm.get_pretrained_cfg(f"{architecture}{tag}")
    title, data = f"{config.tag} of timm's {architecture}", f"the data of {config.tag}"
    trained_on = _trained_on(data, config.input_size, config.mean, config.std)
    return PublishedWeights(title, config.hf_hub_id or config.url, trained_on)


def _trained_on(
    data: str, shape: tuple[int, int, int], mean: Sequence[float], std: Sequence[float]
) -> TrainedOn:
    channels, height, width = shape
    return TrainedOn(
        data=data, channels=channels, height=height, width=width, mean=list(mean), std=list(std)
    )


def _require_known(name: str, known: Iterable[str], publisher: str) -> None:
    names = list(known)
    if name not in names:
        near = did_you_mean(name, names)
        raise WeightsError(f"{publisher} has the weights {', '.join(names) or 'none'}{near}")


def _read(source: WeightSource, published: PublishedWeights | None) -> tuple[bytes, str]:
    """Return the content of the file, and its name."""
    location, sha256 = str(source.weights), source.weights_sha256
    if published is None:
        if not source.is_remote:
            return _read_file(Path(location), "correct the path"), location
        name = f"{sha256}{Path(location).suffix}"
    else:
        location = published.location
        if "://" not in location:
            return _fetch_from_hub(location)
        name = location.rpartition("/")[2]
        digits = SHA256_PREFIX.search(name)
        sha256 = digits[1] if digits else sha256
    if sha256 is None:
        raise WeightsError(f"{location} has no SHA-256 in its file name; set weights_sha256")
    return _fetch(location, name, sha256), name


def _fetch(url: str, name: str, sha256: str) -> bytes:
    """Return a file from torch's cache, or download it; a file with a wrong hash is not cached.

    Args:
        url: Address of the file.
        name: File name in the cache.
        sha256: Its SHA-256, or the first digits.
    """
    path = Path(torch.hub.get_dir(), "checkpoints", name)
    if path.exists():
        content = _read_file(path, "delete it")
        _require_hash(content, sha256, f"delete the earlier download {path}")
        return content
    content = download(url)
    remedy = "download it again, or correct the address or weights_sha256"
    if is_html(content):
        remedy = "the server sent an HTML page; open the address in a browser"
    _require_hash(content, sha256, remedy)
    _cache(content, path)
    return content


def _fetch_from_hub(repository: str) -> tuple[bytes, str]:
    """Return the weights in a repository on the hub of Hugging Face, and their file name."""
    import huggingface_hub
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    for name in HUB_FILES:
        try:
            with time_limit(DEADLINE):
                path = Path(huggingface_hub.hf_hub_download(repository, name))
        except (EntryNotFoundError, OSError, TimeLimitError) as error:
            is_offline = isinstance(error, LocalEntryNotFoundError)
            if is_offline or not isinstance(error, EntryNotFoundError):
                raise unreachable(repository, error) from None
        else:
            return _read_file(path, "choose other weights"), name
    raise WeightsError(f"{repository} has neither {' nor '.join(HUB_FILES)}; choose other weights")


def _read_file(path: Path, remedy: str) -> bytes:
    try:
        return read_limited(path, MAX_BYTES)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise WeightsError(f"{path} cannot be read ({reason}); {remedy}") from None


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
