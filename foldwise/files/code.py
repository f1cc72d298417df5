"""data/checked/STAGE.json: fingerprints of the code that decides what a stage writes.

A stage depends on this file, so a change of these modules runs it again, and no other change does.
Counted are the stage's own file, the modules that it imports from the layers that compute results,
and the formats that it writes. Progress, logs, error handling and the command line do not count.
"""

from pathlib import Path

from foldwise.core.fingerprint import Module, imported_modules
from foldwise.files.base import write_json

COMPUTING = (
    "stages",
    "foldwise.data",
    "foldwise.nets",
    "foldwise.engine",
    "foldwise.selection",
    "foldwise.report",
    "foldwise.plan",
)
FORMATS = "foldwise.files."
WRITERS = ("write_", "create_")  # how the functions begin that write a format

# Imported by a computed name; train and extract learn from network.json which one they need.
BY_NAME = {"build": ("foldwise/nets/zoo", "foldwise/nets")}


def stage_fingerprints(root: Path) -> dict[str, dict[str, str]]:
    """Return the fingerprints of the modules that count for each stage; check itself has none.

    Args:
        root: The folder that holds the packages `stages` and `foldwise`.

    Raises:
        InputError: If a file is not Python.
    """
    stages = sorted(path.stem for path in root.glob("stages/[!_]*.py") if path.stem != "check")
    return {stage: _counted(imported_modules(root, *_roots(root, stage))) for stage in stages}


def write_code(path: Path, modules: dict[str, str]) -> None:
    """Write the fingerprints on which one stage depends."""
    write_json(path, {"modules": modules})


def _counted(modules: dict[str, Module]) -> dict[str, str]:
    computing = {name for name in modules if _is_in(name, COMPUTING)}
    formats = {
        imported.rpartition(".")[0]
        for name in computing
        for imported in modules[name].imports
        if imported.startswith(FORMATS) and imported.rpartition(".")[2].startswith(WRITERS)
    }
    return {name: modules[name].fingerprint for name in computing | (formats & modules.keys())}


def _is_in(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _roots(root: Path, stage: str) -> list[str]:
    found = [path for folder in BY_NAME.get(stage, ()) for path in (root / folder).glob("*.py")]
    names = [".".join(path.relative_to(root).with_suffix("").parts) for path in sorted(found)]
    return [f"stages.{stage}", *(name for name in names if not name.endswith("__init__"))]
