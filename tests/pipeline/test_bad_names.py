"""Names that are paths or shell code stop before any stage, and no file is lost.

Some names never reach `check`: outputs of build and train would overlap, and DVC rejects the
pipeline. `make repro` runs `check` first, so that its message is always ours.
"""

import pytest
from clone import ran

NAMES = ["../raw", "$(touch P)", "x; touch P", "", ".", "lenet"]


@pytest.fixture(scope="module")
def with_raw(finished, tmp_path_factory):
    """Return a clone that tracks images in data/raw, as docs/data.md recommends."""
    clone = finished.copy(tmp_path_factory.mktemp("names") / "foldwise")
    raw = clone.path / "data" / "raw"
    raw.mkdir(exist_ok=True)  # the stage check made it for digits
    (raw / "precious.txt").write_text("precious")
    clone.dvc("add", "data/raw")
    clone.commit("raw images")
    (clone.path / ".venv").mkdir()
    (clone.path / ".venv" / "installed").touch()
    return clone


@pytest.fixture
def restored(with_raw):
    """Return the clone, and check that git and DVC bring back all its files after the test."""
    before = with_raw.files()
    yield with_raw
    with_raw.git("checkout", "--quiet", ".")
    with_raw.dvc("checkout")
    assert changed(before, with_raw.files()) == set()


def some_slow(names, n):
    return [*names[:n], *(pytest.param(name, marks=pytest.mark.slow) for name in names[n:])]


def changed(before, after):
    files = {file for file in before | after if after.get(file) != before.get(file)}
    return {file for file in files if not file.startswith("data/checked/")}


@pytest.mark.parametrize("name", some_slow(NAMES, 1))
def test_make_reports_the_error_and_dvc_touches_nothing(restored, name):
    restored.change_params(model=name)
    before = restored.files()
    result = restored.quick("make", "repro")
    assert result.returncode != 0
    error, *rest = result.stderr.splitlines()
    assert error.startswith(f"error: params.yaml: model is {name!r}; expected ")
    assert all(line.startswith("make: ") for line in rest)
    assert restored.files() == before
    result = restored.quick("dvc", "repro")
    assert result.returncode != 0
    assert set(ran(result)) <= {"check"}
    assert changed(before, restored.files()) == set()


@pytest.mark.parametrize("name", some_slow(NAMES[:4], 0))
def test_a_checkout_restores_everything_after_an_experiment(restored, name):
    result = restored.quick("dvc", "exp", "run", "--set-param", f"model='{name}'")
    assert result.returncode != 0
    assert set(ran(result)) <= {"check"}
