"""The stage check: params.yaml fits dvc.yaml, and data/checked/STAGE.json fingerprints the code.

A stage depends on its file in data/checked, so a change of the code in it runs the stage again, and
no other change of the code does. The file lists the stage itself, the modules that it imports from
the layers that compute results, the formats that it writes, and what these modules use of other
formats: functions, constants and methods, but neither fields nor validators, so that a new key of
params.yaml or of a file retrains nothing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from foldwise.core.errors import InputError
from foldwise.core.fingerprint import PARSED, Module, all_code, imported_modules, parsed_once
from foldwise.files.base import read_yaml, write_json
from foldwise.files.image_folder import find_groups, list_files
from foldwise.files.own_network import require_own_networks
from foldwise.files.params import check_params
from foldwise.files.preparation import OWN_FILES, Blocks, GroupTable, PrepareSection
from foldwise.files.slots import candidate_slots


def check_project(params: Path, pipeline: Path, code: Path, output: Path) -> str:
    """Check params.yaml, write the fingerprints of the code, and return a line that says so.

    final/params.yaml is checked, too, because it is read only after all trainings.

    Args:
        params: params.yaml.
        pipeline: dvc.yaml.
        code: The folder that holds the packages `stages` and `foldwise`.
        output: Folder of the fingerprints, one file per stage.

    Raises:
        InputError: One line for each error; then nothing is written.
    """
    require_plain_path(Path.cwd())
    content = read_yaml(pipeline)
    slots = candidate_slots(content, str(pipeline))
    checked = check_params(read_yaml(params), slots, str(params))
    require_apart(checked.prepare.root, str(params), output_folders(content))
    require_root(checked.prepare, str(params))
    require_own_networks(checked.build.own_files(checked.models), str(params))
    if (final := code / "final" / "params.yaml").is_file():
        from foldwise.files.final import read_final_params  # here: slow to import

        read_final_params(final)
    for stage, modules in stage_fingerprints(code).items():
        write_json(output / f"{stage}.json", {"modules": modules})
    return f"check: {params.name} is sound, {checked.size_text} -> {output}"


def require_plain_path(folder: Path) -> None:
    """Raise an error if DVC cannot cache files below a folder: it takes braces for placeholders."""
    if {"{", "}"} & set(str(folder)):
        raise InputError(
            f"this folder is {str(folder)!r}; DVC fails below a folder with {{ or }} in its name: "
            "rename it"
        )


def output_folders(pipeline: dict[str, Any]) -> list[str]:
    """Return the outputs of a dvc.yaml, or the folders where a matrix gives their names."""
    keys = ("outs", "metrics", "plots")
    outs = [
        out for stage in pipeline["stages"].values() for key in keys for out in stage.get(key, ())
    ]
    names = {name for out in outs for name in (out if isinstance(out, dict) else (out,))}
    return sorted({name.partition("${")[0].rstrip("/") for name in names})


def require_apart(root: str, place: str, outputs: Sequence[str]) -> None:
    """Require that prepare.root neither holds an output of the pipeline nor lies in one.

    Raises:
        InputError: If it does; DVC would refuse the pipeline.
    """
    images = Path(root).resolve()
    for output in outputs:
        path = Path(output).resolve()
        if images.is_relative_to(path) or path.is_relative_to(images):
            raise InputError(
                f"{place}: prepare.root is {root!r}, where the pipeline writes {output}; set a "
                "folder of images only, such as data/raw"
            )


def require_root(section: PrepareSection, place: str) -> None:
    """Require that DVC and prepare can read prepare.root, that tables exist and groups are quick.

    An empty folder is created unless the images are the user's own: DVC stops if a dependency is
    missing, and digits and torchvision's downloads have no files yet.

    Args:
        section: The section prepare.
        place: The file, as the user wrote it.

    Raises:
        InputError: If the folder is missing, cannot be created, contains the project, or holds
            something that is neither a file nor a folder or cannot be read.
    """
    root, key = Path(section.root), f"{place}: prepare.root is {section.root!r}"
    is_own = section.dataset in OWN_FILES
    try:
        if is_own and not root.is_dir():
            raise InputError(
                f"{key}, which is not a folder; create it with one folder of images per class, or "
                "set another"
            )
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{key}, which cannot be used ({error.strerror}); set another") from None
    if Path.cwd().is_relative_to(root.resolve()):
        raise InputError(f"{key}, which contains this project; set a folder of images only")
    files = list_files(root, allow_links=not is_own)
    groups = section.groups
    if section.dataset == "table":
        _require_file(root / section.table, f"{place}: prepare.table")
    if isinstance(groups, GroupTable):
        _require_file(root / groups.table, f"{place}: prepare.groups.table")
    elif groups is not None:
        find_groups(groups.pattern if isinstance(groups, Blocks) else groups, files)


def _require_file(path: Path, key: str) -> None:
    if not path.is_file():
        raise InputError(f"{key} is '{path}', which is no file; add it, or name another below root")


COMPUTING = (
    "stages",
    "foldwise.data",
    "foldwise.nets",
    "foldwise.engine",
    "foldwise.selection",
    "foldwise.report",
    "foldwise.plan",
    "foldwise.ship",
)
FORMATS = "foldwise.files."
WRITERS = ("write_", "create_")  # first part of the names of functions that write a format

# Imported by name at run time. network.json tells train and extract which of them they need.
BY_NAME = {"build": ("foldwise/nets/zoo", "foldwise/nets")}


def stage_fingerprints(root: Path) -> dict[str, dict[str, str]]:
    """Return the fingerprints of each stage, by module or MODULE:DEFINITION; check itself has none.

    Args:
        root: The folder that holds the packages `stages` and `foldwise`.

    Raises:
        InputError: If a file is not Python.
    """
    stages = sorted(path.stem for path in root.glob("stages/[!_]*.py") if path.stem != "check")
    with parsed_once(root / PARSED):
        return {stage: _counted(imported_modules(root, *_roots(root, stage))) for stage in stages}


def _counted(modules: dict[str, Module]) -> dict[str, str]:
    computing = {name for name in modules if name.startswith(COMPUTING)}
    imported = {name for each in computing for name in modules[each].imports}
    used = [name.rpartition(".") for name in imported if name.startswith(FORMATS)]
    written = {module for module, _, name in used if name.startswith(WRITERS)} & modules.keys()
    counted = computing | written | {f"{m}:{name}" for m, _, name in used if m not in written}
    code = all_code(modules)
    return {name: code[name] for name in sorted(counted & code.keys())}


def _roots(root: Path, stage: str) -> list[str]:
    paths = [path for folder in BY_NAME.get(stage, ()) for path in (root / folder).glob("*.py")]
    names = [".".join(path.relative_to(root).with_suffix("").parts) for path in sorted(paths)]
    return [f"stages.{stage}", *(name for name in names if not name.endswith("__init__"))]
