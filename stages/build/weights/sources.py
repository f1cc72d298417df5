"""A source of weights, opened: a published name, an https address or a file."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from stages.build.weights.download import Remote, fetch, fetch_from_hub
from stages.build.weights.published import Published, look_up_weights
from stages.build.weights.state_file import State, parse
from stages.contracts.command import InputError
from stages.contracts.origin import Origin
from stages.contracts.weights import TrainedOn, read_trained_on


@dataclass(frozen=True)
class Source:
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


def open_source(origin: Origin, architecture: str, key: str) -> Source:
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
        return Source(said, published.title, sha256, state, published.trained_on)
    ours = _trained_on(content, said) if name.endswith(".safetensors") else None
    return Source(said, text, sha256, state, ours)


def _content(origin: Origin, published: Published | None, key: str) -> tuple[bytes, str]:
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
