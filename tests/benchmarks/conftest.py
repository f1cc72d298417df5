from pathlib import Path

import pytest

from benchmarks.case import Case, commands, open_folder

ROOT = Path(__file__).parents[2]
TINY = Case("digits", Path("data/raw"), "digits", "lenet5", 200, 2, 0.1)


@pytest.fixture(scope="session")
def case(tmp_path_factory, dvc_process):
    """Return the folder of a tiny case, made by the stages, which start at once as forks."""
    folder = open_folder(TINY, ROOT / "params.yaml", tmp_path_factory.mktemp("bench"))
    for _, *words in commands(TINY, folder).values():
        dvc_process.run(*words)
    return folder
