"""Read the state_dict in a checkpoint file, without running code of a file that is not trusted."""

import io
import pickletools
import re
import warnings
import zipfile
from collections import deque
from collections.abc import Iterator, Mapping

import safetensors.torch
import torch
from torch import nn

from foldwise.core.errors import first_few

StateDict = dict[str, object]  # values are not checked yet

HTML_STARTS = (b"<!doctype", b"<html", b"<?xml", b"<head")
SHOWN = 20  # names in a message
WRAPPER_KEYS = ("state_dict", "model")  # under which training scripts save the state_dict
WRAPPERS = (nn.Module, Mapping)
MAX_WRAPPERS = 5  # a file could contain itself
MAX_TENSORS = 50_000  # the largest networks of torchvision and timm have some thousand
MAX_NAME_LENGTH = 500  # characters
NAME_PREFIXES = ("module.", "_orig_mod.")  # added by DataParallel and by torch.compile
# torchvision's DenseNet files are older than the rule that module names contain no dots.
OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")

LEGACY_PICKLES = 5  # torch's old format is five pickles in a row, then the tensors
ZIP_START = b"PK\x03\x04"  # torch's current format is a zip file
UNKNOWN = "?"  # part of a name that is computed while the file is unpickled
# Needed for tensors and their names; torch.load(weights_only=True) accepts them.
HARMLESS = re.compile(
    r"torch\.(\w+Storage|b?float\d+|u?int\d+|bool|Size|device|Tensor)"
    r"|torch\.storage\.(Untyped|Typed)Storage|torch\.nn\.parameter\.(Parameter|Buffer)"
    r"|torch\._utils\._rebuild_\w+|torch\._tensor\._rebuild_from_type_v2"
    r"|_codecs\.encode|(builtins|__builtin__)\.set|collections\.(OrderedDict|defaultdict|Counter)"
)


class WeightsError(ValueError):
    """Weights that cannot be used: the problem and the remedy, without the key in params.yaml."""


def read_state_dict(content: bytes, name: str, *, trust_pickle: bool) -> StateDict:
    """Return the state_dict in a checkpoint file.

    It may be saved alone, inside a checkpoint with other values, or as a whole network. Prefixes
    that DataParallel and torch.compile add to the names are removed.

    Args:
        content: The bytes of the file.
        name: File name; its ending tells the format.
        trust_pickle: Allow the file to run code.

    Raises:
        WeightsError: If the file is damaged, has no state_dict, or would run code and is not
            trusted.
    """
    is_pickle = not name.endswith(".safetensors")
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
        if not is_pickle or not trust_pickle:
            raise _unreadable(content, error, trust_pickle=trust_pickle) from None
        loaded = _unpickle(content)
    return _with_module_names(_unwrap(loaded))


def _require_uncompressed(content: bytes) -> None:
    """Reject a zip file that contains more bytes than it has; torch compresses nothing."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        n_bytes = sum(info.file_size for info in file.infolist())
    if n_bytes > len(content):
        raise WeightsError(
            f"the file unpacks to {n_bytes:,} bytes; save the state_dict of the network again"
        )


def is_html(content: bytes) -> bool:
    """Return whether a file is an HTML page, as a server sends it instead of a missing file."""
    return content[:200].lstrip().lower().startswith(HTML_STARTS)


def _torch_load(content: bytes, *, weights_only: bool) -> object:
    """Return the content of a torch file.

    With weights_only, torch reads tensors, numbers, texts and containers. Anything else makes it
    raise before any code of the file runs.
    """
    with warnings.catch_warnings():  # about formats that are rejected afterwards
        warnings.simplefilter("ignore")
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=weights_only)


def _unpickle(content: bytes) -> object:
    """Return the content of a trusted file, which may run any code."""
    try:
        return _torch_load(content, weights_only=False)
    except Exception as error:  # noqa: BLE001 - code of the user's file may raise anything
        raise WeightsError(
            f"cannot be unpickled ({type(error).__name__}: {_reason(error)}); give the state_dict "
            "of the network"
        ) from None


def _unreadable(content: bytes, error: Exception, *, trust_pickle: bool) -> WeightsError:
    """Return why a file was not opened: the code that it would run, or that it is damaged."""
    names = unsafe_globals(content)
    if names and not trust_pickle:
        return WeightsError(
            f"the file contains more than tensors; opening it would run "
            f"{first_few(names, SHOWN)}; give a state_dict, or, if you made the file "
            "yourself, set trust_pickle: true beside weights_sha256"
        )
    problem = "is an HTML page" if is_html(content) else "is damaged or contains no tensors"
    return WeightsError(
        f"the file {problem} ({_reason(error)}); save the state_dict of the network again, "
        "preferably as safetensors"
    )


def _unwrap(loaded: object) -> StateDict:
    """Return the state_dict of a network, or of a checkpoint that contains one."""
    for _ in range(MAX_WRAPPERS):
        if isinstance(loaded, nn.Module):
            loaded = _state_dict(loaded)
        if not isinstance(loaded, Mapping) or not all(map(_is_name, loaded)):
            raise WeightsError(
                f"the file contains a {type(loaded).__name__}; expected a state_dict of names and "
                "tensors"
            )
        inner = [value for key in WRAPPER_KEYS if isinstance(value := loaded.get(key), WRAPPERS)]
        if not inner:
            break
        loaded = inner[0]
    else:
        raise WeightsError("the state_dict is wrapped too often; give the state_dict alone")
    if len(loaded) > MAX_TENSORS:
        raise WeightsError(
            f"the file contains {len(loaded):,} tensors, over {MAX_TENSORS:,}; give the state_dict "
            "of the network"
        )
    return dict(loaded)


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


def _with_module_names(state_dict: StateDict) -> StateDict:
    """Return a state_dict under the names that the network's own modules have."""
    for prefix in NAME_PREFIXES:
        if all(name.startswith(prefix) for name in state_dict):
            state_dict = {name.removeprefix(prefix): v for name, v in state_dict.items()}
    return {OLD_DENSENET.sub(r"\1\2", name): value for name, value in state_dict.items()}


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
