"""What a pickle would run, read off without running any of it."""

import io
import pickle
import pickletools
import re
import struct
import warnings
import zipfile
from collections import deque
from collections.abc import Iterator, Mapping

import safetensors
import safetensors.torch
import torch
from torch import nn

from foldwise.core.errors import InputError
from foldwise.nets.weights.download import looks_like_a_page

PICKLES = 5  # that torch writes one after the other in its old format; the tensors follow
UNKNOWN = "?"  # for what is no text, or is put together while the file is unpickled
ZIP = b"PK\x03\x04"  # how torch's format of today begins
# What tensors and their names are made of; torch takes these from a file that is not trusted.
HARMLESS = re.compile(
    r"torch\.(\w+Storage|b?float\d+|u?int\d+|bool|Size|device|Tensor)"
    r"|torch\.storage\.(Untyped|Typed)Storage|torch\.nn\.parameter\.(Parameter|Buffer)"
    r"|torch\._utils\._rebuild_\w+|torch\._tensor\._rebuild_from_type_v2"
    r"|_codecs\.encode|(builtins|__builtin__)\.set|collections\.(OrderedDict|defaultdict|Counter)"
)


def wanted_globals(content: bytes) -> list[str]:
    """Return the functions and classes that a file would call, without those of mere tensors.

    Args:
        content: Of a file of torch's, in its format of today, a zip file, or in an older one.
    """
    found = {name for pickle in _pickles(content) for name in _names(pickle)}
    return sorted(_printable(name) for name in found if not HARMLESS.fullmatch(name))


def _pickles(content: bytes) -> Iterator[io.BytesIO]:
    """Yield streams, each at the beginning of a pickle."""
    stream = io.BytesIO(content)
    if not content.startswith(ZIP):
        yield from [stream] * PICKLES
        return
    try:
        with zipfile.ZipFile(stream) as file:
            for name in file.namelist():
                if name.rpartition("/")[2] == "data.pkl":
                    yield io.BytesIO(file.read(name))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError):
        return


def _names(stream: io.BytesIO) -> Iterator[str]:
    """Yield the dotted names of what one pickle imports."""
    memo: dict[object, str] = {}
    texts = deque((UNKNOWN, UNKNOWN), maxlen=2)  # the last two that were pushed
    try:
        for code, argument, _ in pickletools.genops(stream):
            if code.name in ("GLOBAL", "INST"):
                yield str(argument).replace(" ", ".", 1)
            elif code.name == "STACK_GLOBAL":
                yield ".".join(texts)
            elif code.name == "MEMOIZE":
                memo[len(memo)] = texts[-1]
            elif "PUT" in code.name:
                memo[argument] = texts[-1]
            else:
                texts.append(_pushed(code.name, argument, memo))
    except (ValueError, LookupError, EOFError):  # no pickle from here on
        return


def _pushed(code: str, argument: object, memo: dict[object, str]) -> str:
    """Return the text that an instruction pushes."""
    if "GET" in code:
        return memo.get(argument, UNKNOWN)
    return argument if isinstance(argument, str) else UNKNOWN


def _printable(name: str) -> str:
    return (name if name.isprintable() else ascii(name))[:80]


UNREADABLE = (
    safetensors.SafetensorError,
    pickle.UnpicklingError,
    struct.error,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    EOFError,
    OSError,
)
SHOWN = 20  # names of what a pickle would run
WRAPPERS = ("state_dict", "model")  # keys under which a training keeps the state, among others
AROUND = ("module.", "_orig_mod.")  # before every name, by DataParallel and by torch.compile
# torchvision's files of DenseNets are older than its rule against dots in names of modules.
OLD_NAME = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")

State = dict[str, object]


def parse(content: bytes, name: str, said: str, trust_key: str | None) -> State:
    """Return the state in a file: tensors by name, not yet checked one by one.

    A saved network, a state kept among other things, and the prefixes of DataParallel and
    torch.compile are taken off.

    Args:
        content: Of the file.
        name: Of the file; its ending says the format.
        said: The key of params.yaml and its value, for errors.
        trust_key: The key that allows a file to run what it says; None if it is allowed.

    Raises:
        InputError: If it is damaged, holds something else, or would run something and is not
            trusted.
    """
    found: object
    try:
        if name.endswith(".safetensors"):
            found = safetensors.torch.load(content)
        else:
            found = _load(content, weights_only=True)
    except UNREADABLE as error:
        if name.endswith(".safetensors") or trust_key is not None:
            raise _refusal(content, error, said, trust_key) from None
        found = _run(content, said)
    return _bare(_unwrapped(found, said))


def _load(content: bytes, *, weights_only: bool) -> object:
    """Return what torch saved.

    Args:
        content: Of the file.
        weights_only: Take tensors, numbers, texts and containers; whatever else is in the file
            makes torch raise before anything of it runs.
    """
    with warnings.catch_warnings():  # of kinds of files that are refused afterwards
        warnings.simplefilter("ignore")
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=weights_only)


def _refusal(content: bytes, error: Exception, said: str, trust_key: str | None) -> InputError:
    """Return why a file is not opened: what it would run, or that it is no such file."""
    names = wanted_globals(content)
    if names and trust_key is not None:
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        return InputError(
            f"{said}, which holds more than tensors: to open it would run "
            f"{', '.join(names[:SHOWN])}{more}; give a state_dict, or, if you made the file "
            f"yourself, set {trust_key}: true beside weights_sha256"
        )
    page = "is an HTML page" if looks_like_a_page(content) else "is damaged"
    return InputError(
        f"{said}, which holds something else than tensors or {page}; save the state_dict of the "
        f"network anew, best as safetensors ({_reason(error)})"
    )


def _run(content: bytes, said: str) -> object:
    """Unpickle a file that is trusted."""
    try:
        return _load(content, weights_only=False)
    except Exception as error:  # noqa: BLE001 - whatever a user's file raises is an error in it
        raise InputError(
            f"{said}, which cannot be unpickled ({type(error).__name__}: {_reason(error)}); give "
            "the state_dict of the network"
        ) from None


def _unwrapped(found: object, said: str) -> State:
    """Return the state of a network, or of what is kept beside other things."""
    if isinstance(found, nn.Module):
        found = found.state_dict()
    if not isinstance(found, Mapping) or not all(isinstance(name, str) for name in found):
        raise InputError(
            f"{said}, which holds a {type(found).__name__}; expected a state_dict: names and "
            "tensors"
        )
    for key in WRAPPERS:
        if isinstance(found.get(key), nn.Module | Mapping):
            return _unwrapped(found[key], said)
    return dict(found)


def _bare(state: State) -> State:
    """Return a state under the names that the network's own modules have."""
    for around in AROUND:
        if all(name.startswith(around) for name in state):
            state = {name.removeprefix(around): one for name, one in state.items()}
    return {OLD_NAME.sub(r"\1\2", name): one for name, one in state.items()}


def _reason(error: Exception) -> str:
    """Return why a file cannot be opened, without torch's advice to open it nevertheless."""
    text = " ".join(str(error).split()).rpartition("WeightsUnpickler error: ")[2]
    text = text.partition(" Check the documentation")[0]
    return "".join(one for one in text if one.isprintable())[:200] or type(error).__name__
