"""The guard of a stage: DVC saves a result only under the code and parameters that it is made with.

Both may be edited while the pipeline runs. DVC reads params.yaml, and the fingerprints of the code
that check wrote to data/checked, again when a stage has ended.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from foldwise.core.errors import InputError, first_few, run_main
from foldwise.core.fingerprint import PARSED, all_code, imported_modules, parsed_once
from foldwise.files.base import Strict, read_json
from foldwise.files.params import require_unchanged

CHECKED = Path("data/checked")
ROOT = Path(__file__).parents[2]  # of the code that runs
_imported: dict[str, str] = {}  # likewise, in the forks of a preload server that imported it


class _Checked(Strict):
    """What check wrote for a stage: fingerprints by module, or MODULE:DEFINITION."""

    modules: dict[str, str]


def run_stage(main: Callable[[], None]) -> None:
    """Run a stage to its end, and exit; with an error if code or parameters were edited meanwhile.

    DVC saves nothing after an error.
    """

    def run() -> None:
        code = require_checked_code()
        main()
        if code:
            _require_equal(code, _read_checked())
        require_unchanged()

    run_main(run)


def require_checked_code() -> dict[str, str]:
    """Check that this stage runs the code that check has seen; call it again after late imports.

    Returns:
        The fingerprints of its code; empty if DVC does not run it, and so saves nothing.

    Raises:
        InputError: If other code runs.
    """
    if checked := _read_checked():
        # A fork imports its own module again, to run it.
        known = {name: code for name, code in _imported.items() if name != f"stages.{_stage()}"}
        code = read_code(_module(name) for name in checked if name not in known) | known
        _require_equal({name: code.get(name, "") for name in checked}, checked)
    return checked


def read_code(modules: Iterable[str]) -> dict[str, str]:
    """Return the fingerprints of modules and of all that they import, as the files are now.

    The keys are those of the files in data/checked.
    """
    with parsed_once(ROOT / PARSED):
        return all_code(imported_modules(ROOT, *modules))


def remember_imports(before: Mapping[str, str]) -> None:
    """Remember the code that a preload server has imported: its forks run this, not the files.

    Args:
        before: Fingerprints from before the imports. What was edited since has none.
    """
    after = dict[str, str]()
    with suppress(InputError):  # an edit that is no Python yet
        after = read_code(map(_module, before))
    for name in before:
        if _module(name) in sys.modules:
            _imported[name] = before[name] if after.get(name) == before[name] else "edited"


def _module(name: str) -> str:
    return name.partition(":")[0]


def _stage() -> str:
    """Return the name of the stage that DVC runs, such as "train"; empty if it does not."""
    return os.environ.get("DVC_STAGE", "").rpartition(":")[2].partition("@")[0]


def _read_checked() -> dict[str, str]:
    path = CHECKED / f"{_stage()}.json"
    return read_json(path, _Checked).modules if path.is_file() else {}


def _require_equal(code: Mapping[str, str], checked: Mapping[str, str]) -> None:
    edited = sorted({name for name, _ in code.items() ^ checked.items()})
    if edited:
        raise InputError(
            f"{first_few(edited)}: edited since the run began, so that DVC would save the result "
            f"under the fingerprint of other code ({CHECKED / _stage()}.json); it is dropped: run "
            "the same command again"
        )
