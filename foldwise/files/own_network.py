"""The user's own networks: Python files below nets/, checked without importing them."""

import re
import symtable
from collections.abc import Iterator, Mapping
from pathlib import Path

from foldwise.core.errors import InputError, did_you_mean
from foldwise.core.fingerprint import Module, imported_modules

PACKAGE = "nets"  # the folder, and the package under which its files import each other
FILE = re.compile(rf"({PACKAGE}/[\w/]+\.py):(\w+)", re.ASCII)
DYNAMIC = re.compile(r"\bimport\s+\*|\b__getattr__\b|\bglobals\b")  # names that only Python knows


def module_name(file: str) -> str:
    """Return the module name of a file below nets/: nets.blocks for nets/blocks.py."""
    return ".".join(Path(file).with_suffix("").parts)


def own_modules(file: str) -> dict[str, Module]:
    """Return a file below nets/ and all others there that it imports, by module name.

    Raises:
        InputError: If the file is missing, or one of them is not Python.
    """
    if not Path(file).is_file():
        raise InputError(
            f"{file} is missing; put the network there, or correct the path; a queued "
            f"experiment has only files that git knows: git add {file}"
        )
    return imported_modules(Path(), module_name(file), packages=(PACKAGE,))


def require_own_networks(files: Mapping[str, str], place: str) -> None:
    """Require that own networks exist, are Python, and define the class or function.

    Args:
        files: nets/FILE.py:CLASS by the name of the architecture.
        place: The file that names them, as the user wrote it.

    Raises:
        InputError: One line for each that does not.
    """
    errors = [
        f"{place}: build.architectures.{name}.file is '{text}': {reason}"
        for name, text in files.items()
        for reason in _errors(text)
    ]
    if errors:
        raise InputError("\n".join(errors))


def _errors(text: str) -> Iterator[str]:
    match = FILE.fullmatch(text)
    assert match is not None, text
    file, attribute = match.groups()
    try:
        own_modules(file)
        source = Path(file).read_text(encoding="utf-8-sig")
        symbols = symtable.symtable(source, file, "exec").get_symbols()
    except InputError as error:
        yield str(error)
        return
    except SyntaxError as error:  # of names, such as nonlocal outside of a function
        yield f"{file}: not Python: {error.msg} in line {error.lineno}; fix the syntax"
        return
    bound = [symbol for symbol in symbols if symbol.is_assigned() or symbol.is_imported()]
    if attribute not in [symbol.get_name() for symbol in bound] and not DYNAMIC.search(source):
        defined = [symbol.get_name() for symbol in bound if symbol.is_namespace()]
        known = did_you_mean(attribute, defined) or f"; it has {', '.join(defined) or 'none'}"
        yield f"{file} has no class or function '{attribute}'{known}"
