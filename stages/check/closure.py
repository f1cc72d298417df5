"""Which modules count for each stage."""

from pathlib import Path

from stages.contracts.code import fingerprints

# Imported by a computed name; train learns of the one that it makes from network.json.
BY_NAME = {"build": "stages/build/networks"}


def closures(root: Path) -> dict[str, dict[str, str]]:
    """Return the fingerprints of the modules that each stage may run, check itself apart.

    Args:
        root: The folder that holds the package `stages`.

    Raises:
        InputError: If a file is not Python.
    """
    mains = sorted(root.glob("stages/*/__main__.py"))
    stages = [path.parent.name for path in mains if path.parent.name != "check"]
    return {stage: fingerprints(root, *_modules(root, stage)) for stage in stages}


def _modules(root: Path, stage: str) -> list[str]:
    networks = sorted((root / BY_NAME[stage]).glob("*.py")) if stage in BY_NAME else []
    files = [root / "stages" / stage / "__main__.py", *networks]
    names = [".".join(path.relative_to(root).with_suffix("").parts) for path in files]
    return [name for name in names if not name.endswith(".__init__")]  # comes with its modules
