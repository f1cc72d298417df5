"""What a pickle would run, read off without running any of it."""

import io
import pickletools
import re
import zipfile
from collections import deque
from collections.abc import Iterator

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
