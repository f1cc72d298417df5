"""Fingerprints of Python modules that ignore comments, docstrings, error texts and layout.

If a stage depended on the source files, DVC would rerun it after any change of their text.
"""

import ast
import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import resolve_name
from pathlib import Path
from typing import NamedTuple

from foldwise.core.atomic import write_text
from foldwise.core.errors import InputError

PACKAGES = ("foldwise", "stages")

HAS_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Module(NamedTuple):
    """A module of this project.

    Attributes:
        fingerprint: SHA-256 of its code.
        imports: Modules that it imports, and names from them.
    """

    fingerprint: str
    imports: list[str]


_parsed: dict[str, Module] = {}  # in this process, by the hash of package and code
_stored: dict[str, Module] = {}  # from the file of `parsed_once`


def imported_modules(
    root: Path, *modules: str, packages: tuple[str, ...] = PACKAGES
) -> dict[str, Module]:
    """Return modules and all modules of this project that they import, by name.

    Follows import statements, not imports of names computed at run time.

    Args:
        root: The folder that holds the packages.
        modules: Dotted names, such as "stages.train".
        packages: Top-level packages whose modules are followed.

    Raises:
        InputError: If one of the modules has no file, or a file is not Python.
    """
    result: dict[str, Module] = {}
    pending = list(modules)
    while pending:
        module = pending.pop()
        path = _path(root, module)
        if path is None and module in modules:
            raise InputError(f"{root}: the module {module} is missing; restore its file")
        if module in result or path is None:
            continue
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        try:
            source = path.read_text(encoding="utf-8-sig")
            result[module] = _parse(source, package)
        except (ImportError, SyntaxError, ValueError) as error:
            raise InputError(f"{path}: not Python: {_reason(error)}; fix the syntax") from None
        imports = [name for name in result[module].imports if name.split(".")[0] in packages]
        pending += [*_parents(module), *imports]
    return result


@contextmanager
def parsed_once(path: Path) -> Iterator[None]:
    """Parse only modules that have changed since the last time; the file holds the others.

    Args:
        path: A JSON file, written if its folder exists. Without it, or if this module or Python has
            changed since, all modules are parsed.
    """
    version = hashlib.sha256(Path(__file__).read_bytes() + sys.version.encode()).hexdigest()
    with suppress(OSError, ValueError, KeyError, TypeError):  # missing, or not ours
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["version"] == version:
            _stored.update({key: Module(*fields) for key, fields in content["modules"].items()})
    yield
    if _parsed.keys() - _stored.keys() and path.parent.is_dir():
        with suppress(OSError):  # the next time is slower, nothing else
            write_text(path, json.dumps({"version": version, "modules": _parsed}))


def fingerprint(source: str) -> str:
    """Return the SHA-256 of the code without comments, docstrings, error texts and layout.

    Error texts are the strings in `raise` statements.
    """
    return _hash(ast.parse(source))


def _parse(source: str, package: str) -> Module:
    key = hashlib.sha256(f"{package}\n{source}".encode()).hexdigest()
    if key in _stored:
        _parsed[key] = _stored[key]
    elif key not in _parsed:
        tree = ast.parse(source)
        _parsed[key] = Module(_hash(tree), _imports(tree, package))
    return _parsed[key]


def _hash(tree: ast.Module) -> str:
    return hashlib.sha256(json.dumps(_structure(tree)).encode()).hexdigest()


def _structure(node: object, *, in_raise: bool = False) -> object:
    """Return the part of a syntax tree that counts, for JSON.

    It is the same for every Python version: empty fields are left out, because newer versions have
    fields for new syntax.
    """
    if isinstance(node, list):
        return [_structure(item, in_raise=in_raise) for item in node]
    if not isinstance(node, ast.AST):
        return ascii(node)
    if in_raise and _is_text(node):
        return "error text"
    in_raise = in_raise or isinstance(node, ast.Raise)
    fields = dict(ast.iter_fields(node))
    if isinstance(node, HAS_DOCSTRING) and ast.get_docstring(node, clean=False) is not None:
        fields["body"] = node.body[1:]
    if isinstance(node, ast.JoinedStr):  # Python 3.12.1 adds empty strings
        fields["values"] = [part for part in node.values if getattr(part, "value", None) != ""]
    parts = {
        name: _structure(value, in_raise=in_raise)
        for name, value in fields.items()
        if value is not None and value != []
    }
    return [type(node).__name__, parts]


def _is_text(node: ast.AST) -> bool:
    """Return whether a node is a string or an f-string."""
    is_string = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return is_string or isinstance(node, ast.JoinedStr)


def _imports(tree: ast.Module, package: str) -> list[str]:
    """Return all modules that an import may mean: `from a import b` may mean a or a.b."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return names


def _reason(error: Exception) -> str:
    if isinstance(error, SyntaxError) and error.lineno:
        return f"{error.msg} in line {error.lineno}"
    return str(error)


def _parents(module: str) -> list[str]:
    """Return the packages of a module, which Python imports before it."""
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _path(root: Path, module: str) -> Path | None:
    base = root.joinpath(*module.split("."))
    for path in (base / "__init__.py", base.with_suffix(".py")):  # in Python's order
        if path.is_file():
            return path
    return None
