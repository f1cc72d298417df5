"""Fingerprints of code, in which comments, docstrings, error texts and layout do not count.

DVC would rerun a stage when any byte of a file changes that it depends on. With fingerprints,
better words retrain nothing.
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
STRUCTURE = {  # kinds of tokens whose text is layout; no text of a token begins with a space
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
        imports: Every module or name that it imports from this project.
    """

    fingerprint: str
    imports: list[str]


def imported_modules(
    root: Path, *modules: str, packages: tuple[str, ...] = PACKAGES
) -> dict[str, Module]:
    """Return some modules and all that they import from this project, by name.

    Only import statements count, not what is imported by a computed name.

    Args:
        root: The folder that holds the packages.
        modules: Dotted names, such as "stages.train".
        packages: Top-level packages whose modules are followed.

    Raises:
        InputError: If one of the modules has no file, or a file is not Python.
    """
    found: dict[str, Module] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        path = _path(root, module)
        if path is None and module in modules:
            raise InputError(f"{root}: the module {module} is missing; restore its file")
        if module in found or path is None:
            continue
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        try:
            source = path.read_text(encoding="utf-8-sig")
            found[module] = Module(fingerprint(source), _imports(source, package, packages))
        except (ImportError, SyntaxError, ValueError, tokenize.TokenError) as error:
            raise InputError(f"{path}: not Python: {_reason(error)}; mend the syntax") from None
        waiting += [*_parents(module), *found[module].imports]
    return found


@cache
def fingerprint(source: str) -> str:
    """Return the SHA-256 of the code: no comments, docstrings, error texts, blank lines or layout.

    Error texts are the strings in `raise` statements.

    Made from the tokens in the text, not from a parser's tree: the same on every Python version.
    """
    texts, lines = [*_docstrings(source), *_raises(source)], source.split("\n")
    kept: list[str] = []
    for token in _tokens(source):
        if token.type in STRINGS and _is_in(texts, _in_bytes(lines, token.start)):
            continue
        text = STRUCTURE.get(token.type, token.string)
        if text == " newline" and kept[-1:] in ([], [" newline"], [" indent"]):
            continue  # a line that held nothing but a docstring ends
        kept.append(text)
    return hashlib.sha256(json.dumps(kept).encode()).hexdigest()


@cache
def _statements(source: str) -> list[ast.AST]:
    """Return the module and every statement in it; expressions hold no docstring or import."""
    found: list[ast.AST] = [ast.parse(source)]
    for node in found:
        for field in ("body", "handlers", "orelse", "finalbody", "cases"):
            found += getattr(node, field, [])
    return found


def _tokens(source: str) -> Iterator[tokenize.TokenInfo]:
    """Return the tokens that count; an f-string is one, as it was until Python 3.11."""
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


def _docstrings(source: str) -> Iterator[tuple[Position, Position]]:
    """Return where every docstring begins and ends; columns in bytes of UTF-8."""
    for node in _statements(source):
        if not isinstance(node, HAS_DOCSTRING) or ast.get_docstring(node, clean=False) is None:
            continue
        text = node.body[0]
        end = (text.end_lineno or text.lineno, text.end_col_offset or text.col_offset)
        yield (text.lineno, text.col_offset), end


def _raises(source: str) -> Iterator[tuple[Position, Position]]:
    """Return where every `raise` statement begins and ends; columns in bytes of UTF-8."""
    for node in _statements(source):
        if isinstance(node, ast.Raise):
            end = (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
            yield (node.lineno, node.col_offset), end


def _is_in(spans: list[tuple[Position, Position]], position: Position) -> bool:
    return any(first <= position < end for first, end in spans)


def _in_bytes(lines: list[str], position: Position) -> Position:
    """Return a position of tokenize as ast counts it."""
    row, column = position
    return row, len(lines[row - 1][:column].encode())


@cache
def _imports(source: str, package: str, packages: tuple[str, ...]) -> list[str]:
    """Return every module that an import may mean: `from a import b` may be a or a.b."""
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
    """Return the packages around a module, which Python runs when it imports it."""
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _path(root: Path, module: str) -> Path | None:
    base = root.joinpath(*module.split("."))
    for path in (base / "__init__.py", base.with_suffix(".py")):  # in Python's order
        if path.is_file():
            return path
    return None
