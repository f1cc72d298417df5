"""Files from the network, kept where torch keeps its own, so that they come only once."""

import hashlib
import http.client
import ssl
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import torch

from foldwise.core.errors import InputError

PATIENCE = 30.0  # seconds that a server may be silent
PAGES = (b"<!doctype", b"<html", b"<?xml", b"<head")
# A repository on the hub of Hugging Face has one of these; the first is preferred.
HUB_FILES = ("model.safetensors", "pytorch_model.bin")


@dataclass(frozen=True)
class Remote:
    """A file in the network.

    Attributes:
        url: Its address.
        file: Its name in the cache.
        digits: The first digits of its SHA-256, or all.
        promise: Who says so, for errors.
    """

    url: str
    file: str
    digits: str
    promise: str


def looks_like_a_page(content: bytes) -> bool:
    """Return whether a file begins as an HTML page does, not as weights do."""
    return content[:200].lstrip().lower().startswith(PAGES)


def fetch(remote: Remote, said: str) -> bytes:
    """Return the content of a file, from the cache if it is there.

    What is downloaded is kept only if it is what was promised.

    Args:
        remote: The file.
        said: The key of params.yaml and its value, for errors.

    Raises:
        InputError: If it cannot be downloaded or kept, or is not what was promised.
    """
    path = Path(torch.hub.get_dir(), "checkpoints", remote.file)
    if path.exists():
        content = _kept(path, said)
        remedy = f"delete {path}, where an earlier download lies"
        _require_promised(content, remote, said, remedy)
        return content
    content = _download(remote.url, said)
    page = "an HTML page came, no weights: see what a browser shows there"
    other = "download it again, or correct the address"
    _require_promised(content, remote, said, page if looks_like_a_page(content) else other)
    _keep(content, path, said)
    return content


def fetch_from_hub(repository: str, said: str) -> tuple[bytes, str]:
    """Return the content of the weights in a repository of Hugging Face's hub, and their name.

    Raises:
        InputError: If they cannot be downloaded.
    """
    import huggingface_hub
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    for name in HUB_FILES:
        try:
            return Path(huggingface_hub.hf_hub_download(repository, name)).read_bytes(), name
        except LocalEntryNotFoundError as error:
            raise _unreachable(repository, error, said) from None
        except EntryNotFoundError:
            continue
        except OSError as error:
            raise _unreachable(repository, error, said) from None
    raise InputError(
        f"{said}; {repository} has neither {' nor '.join(HUB_FILES)}: choose other weights"
    )


def _kept(path: Path, said: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{said}, whose download {path} cannot be read ({error.strerror}); delete it"
        ) from None


def _download(url: str, said: str) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "foldwise"})
    context = ssl.create_default_context()
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE, context=context) as answer:
            content: bytes = answer.read()
    except urllib.error.HTTPError as error:
        error.close()  # it is the answer, too
        raise _unreachable(url, error, said) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _unreachable(url, error, said) from None
    return content


def _unreachable(place: str, error: Exception, said: str) -> InputError:
    text = str(error).removeprefix("<urlopen error ").removesuffix(">")
    reason = " ".join(text.split())[:200] or type(error).__name__
    return InputError(
        f"{said}, which could not be downloaded from {place} ({reason}); check the network and "
        "the address, or give a file"
    )


def _require_promised(content: bytes, remote: Remote, said: str, remedy: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if not found.startswith(remote.digits):
        raise InputError(f"{said}, whose SHA-256 is {found}, but {remote.promise}; {remedy}")


def _keep(content: bytes, path: Path, said: str) -> None:
    """Write a file into the cache, whole or not at all, beside others that do the same."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            partial = Path(folder, "partial")
            partial.write_bytes(content)
            partial.replace(path)
    except OSError as error:
        raise InputError(
            f"{said}, which cannot be kept in {path.parent} ({error.strerror}); set TORCH_HOME to "
            "a folder that can be written"
        ) from None
