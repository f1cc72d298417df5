"""Fingerprints of Python modules that ignore comments, docstrings, error texts and layout.

If a stage depended on the source files, DVC would rerun it after any change of their text.
"""

import ast
import hashlib
import io
import json
import tokenize
from collections.abc import Iterator
from functools import cache
from importlib.util import resolve_name
from pathlib import Path
from typing import NamedTuple

from foldwise.core.errors import InputError

PACKAGES = ("foldwise", "stages")

Position = tuple[int, int]  # row, from 1, and column, from 0

HAS_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
STRUCTURE = {  # layout tokens; the text of other tokens never begins with a space
    tokenize.NEWLINE: " newline",
    tokenize.INDENT: " indent",
    tokenize.DEDENT: " dedent",
}
F_STRING = tuple(getattr(tokenize, name, None) for name in ("FSTRING_START", "FSTRING_END"))
STRINGS = (tokenize.STRING, F_STRING[1])
IGNORED = (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER)


class Module(NamedTuple):
    """A module of this project.

    Attributes:
        fingerprint: SHA-256 of its code.
        imports: Modules and names of this project that it imports.
    """

    fingerprint: str
    imports: list[str]


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
            result[module] = Module(fingerprint(source), _imports(source, package, packages))
        except (ImportError, SyntaxError, ValueError, tokenize.TokenError) as error:
            raise InputError(f"{path}: not Python: {_reason(error)}; fix the syntax") from None
        pending += [*_parents(module), *result[module].imports]
    return result


@cache
def fingerprint(source: str) -> str:
    """Return the SHA-256 of the code without comments, docstrings, error texts and layout.

    Error texts are the strings in `raise` statements. The hash is computed from tokens, not from
    a syntax tree, so that it is the same for every Python version.
    """
    ignored, lines = list(_ignored_spans(source)), source.split("\n")
    texts: list[str] = []
    for token in _tokens(source):
        if token.type in STRINGS and _is_in(ignored, _in_bytes(lines, token.start)):
            continue
        text = STRUCTURE.get(token.type, token.string)
        if text == " newline" and texts[-1:] in ([], [" newline"], [" indent"]):
            continue  # the end of a line with nothing but a docstring
        texts.append(text)
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()


@cache
def _statements(source: str) -> list[ast.AST]:
    """Return the module and all its statements; expressions contain no docstring or import."""
    nodes: list[ast.AST] = [ast.parse(source)]
    for node in nodes:
        for field in ("body", "handlers", "orelse", "finalbody", "cases"):
            nodes += getattr(node, field, [])
    return nodes


def _tokens(source: str) -> Iterator[tokenize.TokenInfo]:
    """Yield the tokens that count; an f-string is one token, as until Python 3.11."""
    start, depth, lines = (1, 0), 0, source.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == F_STRING[0]:
            start, depth = token.start if depth == 0 else start, depth + 1
        elif token.type == F_STRING[1]:
            depth -= 1
            if depth == 0:
                yield token._replace(string=_between(lines, start, token.end))
        elif depth == 0 and token.type not in IGNORED:
            yield token


def _between(lines: list[str], start: Position, end: Position) -> str:
    rows = lines[start[0] - 1 : end[0]]
    rows[-1] = rows[-1][: end[1]]
    rows[0] = rows[0][start[1] :]
    return "\n".join(rows)


def _ignored_spans(source: str) -> Iterator[tuple[Position, Position]]:
    """Yield start and end of each docstring and `raise` statement; columns in bytes of UTF-8."""
    for node in _statements(source):
        if isinstance(node, HAS_DOCSTRING) and ast.get_docstring(node, clean=False) is not None:
            node = node.body[0]
        elif not isinstance(node, ast.Raise):
            continue
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        yield (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)


def _is_in(spans: list[tuple[Position, Position]], position: Position) -> bool:
    return any(first <= position < end for first, end in spans)


def _in_bytes(lines: list[str], position: Position) -> Position:
    """Return a position of tokenize with the column in bytes of UTF-8, as ast counts."""
    row, column = position
    return row, len(lines[row - 1][:column].encode())


@cache
def _imports(source: str, package: str, packages: tuple[str, ...]) -> list[str]:
    """Return all modules that an import may mean: `from a import b` may mean a or a.b."""
    names: list[str] = []
    for node in _statements(source):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return [name for name in names if name.split(".")[0] in packages]


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
