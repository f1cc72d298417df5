"""Fingerprints of Python modules that ignore comments, docstrings, messages and layout.

If a stage depended on the source files, DVC would rerun it after any change of their text.
"""

import ast
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import resolve_name
from pathlib import Path
from typing import NamedTuple

from foldwise.core.atomic import write_text
from foldwise.core.errors import InputError

PACKAGES = ("foldwise", "stages")
PARSED = Path(".dvc/tmp/fingerprints.json")  # for `parsed_once`, below the root

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
HAS_DOCSTRING = (ast.Module, ast.ClassDef, *FUNCTIONS)


class Module(NamedTuple):
    """A module of this project.

    Attributes:
        fingerprint: SHA-256 of its code.
        imports: Modules that it imports, and names from them.
        definitions: SHA-256 by name of the code of its functions, constants and classes, with the
            functions and constants that they use. A class counts with its methods, without fields
            and validators: they define which input is valid, and no result.
    """

    fingerprint: str
    imports: list[str]
    definitions: dict[str, str]


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


def all_code(modules: Mapping[str, Module]) -> dict[str, str]:
    """Return the fingerprint of each module, and of each definition as MODULE:DEFINITION."""
    definitions = {
        f"{module}:{name}": code
        for module, parsed in modules.items()
        for name, code in parsed.definitions.items()
    }
    return {name: module.fingerprint for name, module in modules.items()} | definitions


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
    """Return the SHA-256 of the code without comments, docstrings, messages and layout.

    Messages are the strings in `raise` statements, and calls of `print`.
    """
    return _hash(ast.parse(source))


def _parse(source: str, package: str) -> Module:
    key = hashlib.sha256(f"{package}\n{source}".encode()).hexdigest()
    if key in _stored:
        _parsed[key] = _stored[key]
    elif key not in _parsed:
        tree = ast.parse(source)
        _parsed[key] = Module(_hash(tree), _imports(tree, package), _definitions(tree))
    return _parsed[key]


def _hash(tree: ast.AST | list[ast.AST]) -> str:
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
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
        return "message"
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


def _definitions(tree: ast.Module) -> dict[str, str]:
    nodes: dict[str, list[ast.AST]] = {}
    classes: dict[str, list[ast.AST]] = {}
    for node in tree.body:
        if isinstance(node, FUNCTIONS):
            nodes[node.name] = [node]
        elif isinstance(node, ast.ClassDef):
            classes[node.name] = [part for part in node.body if _is_method(part)]
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            nodes |= {each.id: [node.value] for each in targets if isinstance(each, ast.Name)}
    roots = nodes | {name: methods for name, methods in classes.items() if methods}
    return {name: _hash(_with_used(root, nodes)) for name, root in roots.items()}


def _with_used(code: list[ast.AST], definitions: Mapping[str, list[ast.AST]]) -> list[ast.AST]:
    """Return code with the definitions that it uses, directly or not."""
    used = dict[str, list[ast.AST]]()
    pending = [*code]
    while pending:
        parts = (part for node in pending for part in ast.walk(node))
        names = {part.id for part in parts if isinstance(part, ast.Name)}
        new = {name: definitions[name] for name in names & definitions.keys() - used.keys()}
        pending = [node for nodes in new.values() for node in nodes]
        used |= new
    return [*code, *(node for name in sorted(used) for node in used[name])]


def _is_method(node: ast.stmt) -> bool:
    """Return whether a part of a class is a method, but no validator of pydantic."""
    return isinstance(node, FUNCTIONS) and not any(
        "validator" in ast.unparse(decorator) for decorator in node.decorator_list
    )


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
