from pathlib import Path

import pytest

from benchmarks.case import Case, make

ROOT = Path(__file__).parents[2]
TINY = Case("digits", Path("data/raw"), "digits", "lenet5", 200, 2, 0.1)


@pytest.fixture(scope="session")
def case(tmp_path_factory):
    """Return the folder of a tiny case, made by the stages."""
    return make(TINY, ROOT / "params.yaml", tmp_path_factory.mktemp("bench"))
