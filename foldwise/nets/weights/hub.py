"""Weights in a repository on the hub of Hugging Face, and what its config.json says of them."""

import json
from pathlib import Path
from typing import Any

from foldwise.core.limits import TimeLimitError, time_limit
from foldwise.files.catalogue import TIMM_PREFIX
from foldwise.files.layers import WEIGHT_SOURCES
from foldwise.nets.weights.checkpoint import WeightsError
from foldwise.nets.weights.download import DEADLINE, read_file, unreachable
from foldwise.nets.weights.published import PublishedWeights, describe_images
from foldwise.nets.weights.tensors import TrainedOn

HUB_FILES = ("model.safetensors", "pytorch_model.bin")  # of a repository; the first is preferred


def find_on_hub(text: str, architecture: str) -> PublishedWeights:
    """Return where the weights `hf-hub:OWNER/NAME` are, and on which images they were trained.

    Args:
        text: The source in params.yaml, optionally with `@REVISION`.
        architecture: Architecture of the network that takes them.

    Raises:
        WeightsError: If config.json cannot be read, or names another network of timm. Networks of
            timm with the same tensors may compute another function.
    """
    match = WEIGHT_SOURCES["hub"].fullmatch(text)
    assert match, text
    repository, revision = match.groups()
    path = _download(repository, "config.json", revision)
    config = {} if path is None else _parse(path)
    original = config.get("architecture")
    is_timm = architecture.startswith(TIMM_PREFIX) and isinstance(original, str)
    if is_timm and original != architecture.removeprefix(TIMM_PREFIX):
        raise WeightsError(
            f"its config.json names the architecture {original!r}, not {architecture}; set base to "
            f"{TIMM_PREFIX}{original}"
        )
    details = config.get("pretrained_cfg", config)  # older files of timm have no inner mapping
    return PublishedWeights(text, repository, _trained_on(repository, details), revision)


def fetch_from_hub(repository: str, revision: str | None) -> tuple[bytes, str]:
    """Return the weights in a repository, and their file name.

    Raises:
        WeightsError: If it has none, or cannot be reached.
    """
    for name in HUB_FILES:
        path = _download(repository, name, revision)
        if path is not None:
            return read_file(path, "choose other weights"), name
    raise WeightsError(f"{repository} has neither {' nor '.join(HUB_FILES)}; choose other weights")


def _download(repository: str, name: str, revision: str | None) -> Path | None:
    """Return the path of a file in the cache of the hub; None if the repository lacks it."""
    try:
        import huggingface_hub
        from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError
    except ImportError:
        raise WeightsError(
            "huggingface_hub is not installed; run 'pip install huggingface_hub'"
        ) from None
    try:
        with time_limit(DEADLINE):
            return Path(huggingface_hub.hf_hub_download(repository, name, revision=revision))
    except (EntryNotFoundError, OSError, ValueError, TimeLimitError) as error:
        is_offline = isinstance(error, LocalEntryNotFoundError)
        if isinstance(error, EntryNotFoundError) and not is_offline:
            return None
        raise unreachable(repository, error) from None


def _parse(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(read_file(path, "choose other weights"))
    except (ValueError, RecursionError) as error:
        if isinstance(error, WeightsError):
            raise
        config = None
    if not isinstance(config, dict):
        raise WeightsError("its config.json is damaged; give the file of weights itself")
    return config


def _trained_on(repository: str, details: object) -> TrainedOn | None:
    """Return the training images that a config.json of timm describes."""
    keys = ("input_size", "mean", "std")
    if not isinstance(details, dict) or any(key not in details for key in keys):
        return None
    try:
        return describe_images(f"the data of {repository}", *(details[key] for key in keys))
    except (TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(
            f"its config.json is damaged ({reason}); give the file of weights itself"
        ) from None
