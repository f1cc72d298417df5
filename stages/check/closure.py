"""Which modules count for each stage."""

from pathlib import Path

from stages.contracts.code import fingerprints

# Imported by a computed name; train and extract learn of the one that they make from network.json.
BY_NAME = {"build": ("stages/build/networks", "stages/build/adapters")}


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
    folders = BY_NAME.get(stage, ())
    networks = sorted(path for folder in folders for path in (root / folder).glob("*.py"))
    files = [root / "stages" / stage / "__main__.py", *networks]
    names = [".".join(path.relative_to(root).with_suffix("").parts) for path in files]
    return [name for name in names if not name.endswith(".__init__")]  # comes with its modules
