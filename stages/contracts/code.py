"""data/checked/STAGE.json: the code that counts for what reruns.

DVC would rerun a stage when any byte of a file changes that it depends on. Here a stage depends
on fingerprints of the modules that it imports, in which comments, docstrings, blank lines and
the layout of lines do not count: better words retrain nothing.
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

from stages.contracts.command import InputError
from stages.contracts.json_file import write_json

PACKAGE = "stages"

Position = tuple[int, int]  # row, from 1, and column, from 0

HAS_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
STRUCTURE = {  # kinds of tokens whose text is layout; no text of a token begins with a space
    tokenize.NEWLINE: " newline",
    tokenize.INDENT: " indent",
    tokenize.DEDENT: " dedent",
}
F_STRING = tuple(getattr(tokenize, name, None) for name in ("FSTRING_START", "FSTRING_END"))
IGNORED = (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER)


def fingerprints(root: Path, *modules: str) -> dict[str, str]:
    """Return the fingerprint of each module and of all that they import from this project.

    Only import statements count, not what is imported by a computed name.

    Args:
        root: The folder that holds the package `stages`.
        modules: Dotted names, such as "stages.train.__main__".

    Raises:
        InputError: If one of the modules has no file, or a file is not Python.
    """
    found: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        path = _path(root, module)
        if path is None and module in modules:
            raise InputError(f"{root / PACKAGE}: {module} is missing; restore its file")
        if module in found or path is None:
            continue
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        try:
            source = path.read_text(encoding="utf-8-sig")
            found[module] = fingerprint(source)
            waiting += [*_parents(module), *_imports(source, package)]
        except (ImportError, SyntaxError, ValueError, tokenize.TokenError) as error:
            raise InputError(f"{path}: not Python: {_reason(error)}; mend the syntax") from None
    return found


@cache
def fingerprint(source: str) -> str:
    """Return the SHA-256 of what Python runs: no comments, docstrings, blank lines or layout.

    Made from the tokens in the text, not from a parser's tree: the same on every Python version.
    """
    docstrings, lines = list(_docstrings(source)), source.split("\n")
    kept: list[str] = []
    for token in _tokens(source):
        if token.type == tokenize.STRING and _is_in(docstrings, _in_bytes(lines, token.start)):
            continue
        text = STRUCTURE.get(token.type, token.string)
        if text == " newline" and kept[-1:] in ([], [" newline"], [" indent"]):
            continue  # a line that held nothing but a docstring ends
        kept.append(text)
    return hashlib.sha256(json.dumps(kept).encode()).hexdigest()


def write_code(path: Path, modules: dict[str, str]) -> None:
    """Write the fingerprints on which one stage depends."""
    write_json(path, {"modules": modules})


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


def _is_in(spans: list[tuple[Position, Position]], position: Position) -> bool:
    return any(first <= position < end for first, end in spans)


def _in_bytes(lines: list[str], position: Position) -> Position:
    """Return a position of tokenize as ast counts it."""
    row, column = position
    return row, len(lines[row - 1][:column].encode())


@cache
def _imports(source: str, package: str) -> list[str]:
    """Return every module that an import may mean: `from a import b` may be a or a.b."""
    names: list[str] = []
    for node in _statements(source):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return [name for name in names if name.split(".")[0] == PACKAGE]


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
