"""Weights that torchvision and timm publish under a name."""

import hashlib
import importlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldwise.core.errors import InputError, did_you_mean
from foldwise.files.catalogue import TIMM_PREFIX, TORCHVISION_MODELS, ZOO
from foldwise.files.layers import WeightSource
from foldwise.nets.weights.checkpoint import State, parse
from foldwise.nets.weights.download import Remote, fetch, fetch_from_hub
from foldwise.nets.weights.tensors import TrainedOn, read_trained_on

DEFAULT = "DEFAULT"  # the name of the weights that torchvision, or timm, thinks best
DIGITS = re.compile(r"-([0-9a-f]{8,64})\.\w+$")  # of a SHA-256, in the name of a file
# torchvision sets `transform_input` where it loads their weights itself; they are Google's, which
# never saw the normalisation that it names.
FROM_GOOGLE = ("googlenet", "inception_v3")


@dataclass(frozen=True)
class Published:
    """Where published weights are, and what they were trained on.

    Attributes:
        title: Their name, and whose they are.
        url: Address of the file; None if they are in a repository.
        repository: On the hub of Hugging Face; None if they have an address.
        trained_on: Its images.
    """

    title: str
    url: str | None
    repository: str | None
    trained_on: TrainedOn

    @property
    def digits(self) -> str:
        """Return the first digits of the file's SHA-256 that its name has; "" if none."""
        match = DIGITS.search(self.url or "")
        return match[1] if match else ""


def look_up_weights(architecture: str, name: str, said: str) -> Published:
    """Return the weights of a name.

    Args:
        architecture: Whose they are.
        name: Of the weights, such as IMAGENET1K_V1.
        said: The key of params.yaml and its value, for errors.

    Raises:
        InputError: If the architecture has no weights of that name; says which it has.
    """
    if architecture in TORCHVISION_MODELS:
        return _of_torchvision(architecture, name, said)
    if architecture.startswith(TIMM_PREFIX):
        return _of_timm(architecture.removeprefix(TIMM_PREFIX), name, said)
    if architecture in ZOO:
        own = importlib.import_module(f"foldwise.nets.zoo.{architecture}")
        if hasattr(own, "WEIGHTS_OF"):
            return look_up_weights(own.WEIGHTS_OF, name, said)
    raise InputError(
        f"{said}, but {architecture} has no published weights; give a file or an https address"
    )


def _of_torchvision(architecture: str, name: str, said: str) -> Published:
    from foldwise.nets.from_torchvision import models

    members = models.get_model_weights(architecture).__members__
    _require_known(name, members, f"torchvision's {architecture}", said)
    weights = members[name]
    preset = weights.transforms()
    halves = [0.5, 0.5, 0.5]
    ours = architecture not in FROM_GOOGLE
    trained_on = TrainedOn(
        data="ImageNet",
        channels=len(preset.mean),
        height=preset.crop_size[0],
        width=preset.crop_size[0],
        mean=list(preset.mean) if ours else halves,
        std=list(preset.std) if ours else halves,
    )
    title = f"{weights.name} of torchvision's {architecture}"
    return Published(title, weights.url, None, trained_on)


def _of_timm(architecture: str, name: str, said: str) -> Published:
    import timm

    names = timm.list_models(f"{architecture}.*", pretrained=True)
    tags = [one.partition(".")[2] for one in names]
    _require_known(name, [*tags, *([DEFAULT] if tags else [])], f"timm's {architecture}", said)
    tag = "" if name == DEFAULT else f".{name}"
    found: Any = timm.get_pretrained_cfg(f"{architecture}{tag}")
    channels, height, width = found.input_size
    trained_on = TrainedOn(
        data=f"the data of {found.tag}",
        channels=channels,
        height=height,
        width=width,
        mean=list(found.mean),
        std=list(found.std),
    )
    title = f"{found.tag} of timm's {architecture}"
    repository = found.hf_hub_id or None
    return Published(title, None if repository else found.url, repository, trained_on)


def _require_known(name: str, known: Iterable[str], whose: str, said: str) -> None:
    there_are = list(known)
    if name not in there_are:
        names = ", ".join(there_are) or "none"
        near = did_you_mean(name, there_are)
        raise InputError(f"{said}; {whose} has the weights {names}{near}")


@dataclass(frozen=True)
class WeightFile:
    """What a source of weights holds.

    Attributes:
        said: The key of params.yaml and its value, for errors.
        title: What it is, for the card.
        sha256: Of the file.
        state: Tensors by name, not yet checked one by one.
        trained_on: What they were trained on; None if nothing says so.
    """

    said: str
    title: str
    sha256: str
    state: State
    trained_on: TrainedOn | None


def open_weights(origin: WeightSource, architecture: str, key: str) -> WeightFile:
    """Return what a source holds; its content is read once, so that what is hashed is parsed.

    Args:
        origin: Where it is.
        architecture: Whose weights are meant by a published name.
        key: Of the weights in params.yaml.

    Raises:
        InputError: If it cannot be had, is another than its SHA-256 says, is damaged, or would
            run something and is not trusted.
    """
    text = str(origin.weights)
    said = f"{key} is '{text}'"
    published = look_up_weights(architecture, text, said) if origin.is_named else None
    content, name = _content(origin, published, key)
    sha256 = hashlib.sha256(content).hexdigest()
    if origin.weights_sha256 not in (None, sha256):
        raise InputError(
            f"{said}, whose SHA-256 is {sha256}, but {key}_sha256 is {origin.weights_sha256}; "
            "if the file is the right one, set that key to the former"
        )
    trust_key = None if origin.trust_pickle else f"{key.removesuffix('weights')}trust_pickle"
    state = parse(content, name, said, trust_key)
    if published is not None:
        return WeightFile(said, published.title, sha256, state, published.trained_on)
    ours = _trained_on(content, said) if name.endswith(".safetensors") else None
    return WeightFile(said, text, sha256, state, ours)


def _content(origin: WeightSource, published: Published | None, key: str) -> tuple[bytes, str]:
    """Return the content of a file, and its name."""
    text, sha256 = str(origin.weights), origin.weights_sha256
    said = f"{key} is '{text}'"
    if published is not None and published.repository is not None:
        return fetch_from_hub(published.repository, said)
    if published is not None:
        remote = _published_file(published, sha256, key, said)
        return fetch(remote, said), remote.file
    if origin.is_remote:
        assert sha256 is not None
        file = f"{sha256}{Path(text).suffix}"
        return fetch(Remote(text, file, sha256, f"{key}_sha256 is {sha256}"), said), file
    try:
        return Path(text).read_bytes(), text
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"{said}, which cannot be read ({reason}); correct the path") from None


def _published_file(published: Published, sha256: str | None, key: str, said: str) -> Remote:
    url = str(published.url)
    file = url.rpartition("/")[2]
    if published.digits:
        return Remote(url, file, published.digits, f"its name promises {published.digits}")
    if sha256 is None:
        raise InputError(
            f"{said}, whose file {url} does not have its SHA-256 in its name; set {key}_sha256"
        )
    return Remote(url, file, sha256, f"{key}_sha256 is {sha256}")


def _trained_on(content: bytes, said: str) -> TrainedOn | None:
    try:
        return read_trained_on(content)
    except ValueError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{said}, whose record of what it was trained on is damaged; train it anew ({reason})"
        ) from None
