"""data/checked/STAGE.json: the code that counts for what reruns.

DVC would rerun a stage when any byte of a file changes that it depends on. Here a stage depends
on fingerprints of the modules that it imports, in which comments, docstrings and blank lines do
not count: better words retrain nothing.
"""

import ast
import hashlib
import io
import tokenize
from pathlib import Path

from stages.contracts.json_file import write_json

PACKAGE = "stages"


def fingerprints(root: Path, *modules: str) -> dict[str, str]:
    """Return the fingerprint of each module and of all that they import from this project.

    Args:
        root: The folder that holds the package `stages`.
        modules: Dotted names, such as "stages.train.__main__".
    """
    found: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        path = _path(root, module)
        if module in found or path is None:
            continue
        source = path.read_text(encoding="utf-8")
        found[module] = fingerprint(source)
        waiting += [*_parents(module), *_imports(source)]
    return found


def fingerprint(source: str) -> str:
    """Return the SHA-256 of what Python runs: no comments, docstrings or blank lines.

    Made from positions in the text, not from a parser's tree: the same on every Python version.
    """
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for first, last in _docstrings(ast.parse(source)):
        lines[first - 1 : last] = [""] * (last - first + 1)
    code = [line.rstrip() for line in lines if line.strip()]
    return hashlib.sha256("\n".join(code).encode()).hexdigest()


def write_code(path: Path, modules: dict[str, str]) -> None:
    """Write the fingerprints on which one stage depends."""
    write_json(path, {"modules": modules})


def _docstrings(tree: ast.Module) -> list[tuple[int, int]]:
    """Return the first and last line of every docstring."""
    spans = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            continue
        if ast.get_docstring(node, clean=False) is not None:
            text = node.body[0]
            spans.append((text.lineno, text.end_lineno or text.lineno))
    return spans


def _imports(source: str) -> list[str]:
    """Return every module that an import may mean: `from a import b` may be a or a.b."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in names if name.split(".")[0] == PACKAGE]


def _parents(module: str) -> list[str]:
    """Return the packages around a module, which Python runs when it imports it."""
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _path(root: Path, module: str) -> Path | None:
    base = root.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None
