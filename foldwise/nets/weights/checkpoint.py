"""Read the tensors in a checkpoint file, without running code of a file that is not trusted."""

import argparse
import io
import pickletools
import re
import warnings
import zipfile
from collections import deque
from collections.abc import Iterator

import safetensors.torch
import torch
from torch import Tensor, nn

from foldwise.core.errors import first_few
from foldwise.nets.weights.formats import ZIP_START, describe_format, is_safetensors

StateDict = dict[str, object]  # values are not checked yet

SHOWN = 20  # names in a message
CONTAINERS = (nn.Module, dict)
MAX_DEPTH = 5  # keys that lead to a state_dict
MAX_TENSORS = 50_000  # the largest networks of torchvision and timm have some thousand
MAX_NAME_LENGTH = 500  # characters
# torchvision's DenseNet files are older than the rule that module names contain no dots.
OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")

LEGACY_PICKLES = 5  # torch's old format is five pickles in a row, then the tensors
UNKNOWN = "?"  # part of a name that is computed while the file is unpickled
# Needed for tensors, their names and options; torch.load(weights_only=True) accepts them.
HARMLESS = re.compile(
    r"torch\.(\w+Storage|b?float\d+|u?int\d+|bool|Size|device|Tensor)"
    r"|torch\.storage\.(Untyped|Typed)Storage|torch\.nn\.parameter\.(Parameter|Buffer)"
    r"|torch\._utils\._rebuild_\w+|torch\._tensor\._rebuild_from_type_v2"
    r"|_codecs\.encode|(builtins|__builtin__)\.set|collections\.(OrderedDict|defaultdict|Counter)"
    r"|argparse\.Namespace"
)


class WeightsError(ValueError):
    """Weights that cannot be used: the problem and the remedy, without the key in params.yaml."""


def read_states(content: bytes, name: str, *, trust_pickle: bool) -> dict[str, StateDict]:
    """Return every mapping with tensors in a checkpoint file, by the keys that lead to it.

    A state_dict that is saved alone has the key "", that in `{"state_dict": ...}` the key
    state_dict, and so on. The bytes tell the format, not the ending.

    Args:
        content: The bytes of the file.
        name: File name; a file that claims to be safetensors never runs code.
        trust_pickle: Allow the file to run code.

    Raises:
        WeightsError: If the file is damaged, has no state_dict, or would run code and is not
            trusted.
    """
    is_pickle, trusted = not is_safetensors(content), trust_pickle
    if name.endswith(".safetensors"):
        trusted = False
    try:
        if content.startswith(ZIP_START):
            _require_uncompressed(content)
        if is_pickle:
            loaded = _torch_load(content, weights_only=True)
        else:
            loaded = safetensors.torch.load(content)
    except WeightsError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged file may raise anything
        if not is_pickle or not trusted:
            raise _unreadable(content, error, trust_pickle=trusted) from None
        loaded = _unpickle(content)
    return _find_states(loaded)


def _require_uncompressed(content: bytes) -> None:
    """Reject a zip file that contains more bytes than it has; torch compresses nothing."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        n_bytes = sum(info.file_size for info in file.infolist())
    if n_bytes > len(content):
        raise WeightsError(
            f"the file unpacks to {n_bytes:,} bytes; save the state_dict of the network again"
        )


def _torch_load(content: bytes, *, weights_only: bool) -> object:
    """Return the content of a torch file.

    With weights_only, torch reads tensors, numbers, texts and containers. Anything else makes it
    raise before any code of the file runs.
    """
    # Training scripts save their options; a Namespace runs no code and holds what torch reads.
    with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about formats that are rejected afterwards
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=weights_only)


def _unpickle(content: bytes) -> object:
    """Return the content of a trusted file, which may run any code."""
    try:
        return _torch_load(content, weights_only=False)
    except Exception as error:  # noqa: BLE001 - code of the user's file may raise anything
        kind, remedy = describe_format(content) or (
            f"a pickle that cannot be unpickled ({type(error).__name__}: {_reason(error)})",
            "give the state_dict of the network",
        )
        raise WeightsError(f"the file is {kind}; {remedy}") from None


def _unreadable(content: bytes, error: Exception, *, trust_pickle: bool) -> WeightsError:
    """Return why a file was not opened: the code that it would run, or that it is damaged."""
    if description := describe_format(content):
        return WeightsError(f"the file is {description[0]}; {description[1]}")
    names = unsafe_globals(content)
    if names and not trust_pickle:
        return WeightsError(
            f"the file contains more than tensors; opening it would run "
            f"{first_few(names, SHOWN)}; give a state_dict, or, if you made the file "
            "yourself, set trust_pickle: true beside weights_sha256"
        )
    return WeightsError(
        f"the file is damaged or contains no tensors ({_reason(error)}); save the state_dict of "
        "the network again, preferably as safetensors"
    )


def _find_states(loaded: object) -> dict[str, StateDict]:
    """Return the mappings with tensors in what a file contains, the outermost first."""
    states: dict[str, StateDict] = {}
    seen: dict[int, object] = {}  # a file could contain itself
    queue: deque[tuple[tuple[str, ...], object]] = deque([((), loaded)])
    while queue:
        path, value = queue.popleft()
        if isinstance(value, nn.Module):
            value = _state_dict(value)
        if not isinstance(value, dict) or id(value) in seen or not all(map(_is_name, value)):
            continue
        seen[id(value)] = value
        if any(isinstance(item, Tensor) for item in value.values()):
            states[".".join(path)] = _without_containers(value)
        if len(path) < MAX_DEPTH:
            queue.extend(
                ((*path, key), item) for key, item in value.items() if isinstance(item, CONTAINERS)
            )
    if not states:
        keys = [key for key in loaded if _is_name(key)] if isinstance(loaded, dict) else []
        having = f" with {first_few(keys)}" if keys else ""
        raise WeightsError(
            f"the file contains a {type(loaded).__name__}{having}; expected a state_dict of names "
            "and tensors"
        )
    n_tensors = sum(map(len, states.values()))
    if n_tensors > MAX_TENSORS:
        raise WeightsError(
            f"the file contains {n_tensors:,} tensors, over {MAX_TENSORS:,}; give the state_dict "
            "of the network"
        )
    return states


def _without_containers(state: dict[str, object]) -> StateDict:
    """Return the entries of a state_dict, under the names that modules have today."""
    return {
        OLD_DENSENET.sub(r"\1\2", name): value
        for name, value in state.items()
        if not isinstance(value, CONTAINERS)
    }


def _is_name(key: object) -> bool:
    return isinstance(key, str) and key.isprintable() and len(key) <= MAX_NAME_LENGTH


def _state_dict(module: nn.Module) -> StateDict:
    try:
        return module.state_dict()
    except Exception as error:  # noqa: BLE001 - modules of another version of torch raise anything
        raise WeightsError(
            f"the file contains a network without a state_dict ({_reason(error)}); save its "
            "state_dict with the version of torch that wrote it"
        ) from None


def _reason(error: Exception) -> str:
    """Return the text of an error on one line, without torch's advice to open the file anyway."""
    text = " ".join(str(error).split()).rpartition("WeightsUnpickler error: ")[2]
    text = text.partition(" Check the documentation")[0]
    return "".join(filter(str.isprintable, text))[:200] or type(error).__name__


def unsafe_globals(content: bytes) -> list[str]:
    """Return the functions and classes that a torch file would call, except those of tensors.

    Nothing of the file is run.
    """
    names = {name for stream in _pickle_streams(content) for name in _imported_names(stream)}
    return sorted(
        (name if name.isprintable() else ascii(name))[:80]
        for name in names
        if not HARMLESS.fullmatch(name)
    )


def _pickle_streams(content: bytes) -> Iterator[io.BytesIO]:
    """Yield streams, each at the beginning of a pickle."""
    stream = io.BytesIO(content)
    if not content.startswith(ZIP_START):
        yield from [stream] * LEGACY_PICKLES
        return
    try:
        with zipfile.ZipFile(stream) as file:
            for name in file.namelist():
                if name.rpartition("/")[2] == "data.pkl":
                    yield io.BytesIO(file.read(name))
    except Exception:  # noqa: BLE001 - a damaged file may raise anything
        return


def _imported_names(stream: io.BytesIO) -> Iterator[str]:
    """Yield the dotted names that one pickle imports."""
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
            elif "GET" in code.name:
                texts.append(memo.get(argument, UNKNOWN))
            else:
                texts.append(argument if isinstance(argument, str) else UNKNOWN)
    except Exception:  # noqa: BLE001 - the rest of the stream is not a pickle
        return
