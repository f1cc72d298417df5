"""Names that try to be paths or shell: stopped before any stage, nothing lost.

Some never reach `check`: outputs of build and train would overlap, and DVC refuses the pipeline.
`make repro` asks `check` first, so that the message is always ours.
"""

import pytest
from clone import ran

NAMES = ["../raw", "x; touch P", "$(touch P)", "", ".", "lenet"]


@pytest.fixture
def with_raw(clone):
    """Return a clone that tracks images in data/raw, as README asks for."""
    raw = clone.path / "data" / "raw"
    raw.mkdir(exist_ok=True)  # check made it for digits
    (raw / "precious.txt").write_text("precious")
    clone.dvc("add", "data/raw")
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "--message", "raw images")
    return clone


@pytest.mark.parametrize("name", NAMES)
def test_make_says_in_one_line_what_is_wrong(with_raw, name):
    with_raw.change_params(model=name)
    (with_raw.path / ".venv").mkdir()
    (with_raw.path / ".venv" / "installed").touch()
    before = with_raw.files()
    done = with_raw.run("make", "repro")
    assert done.returncode != 0
    error, *rest = done.stderr.splitlines()
    assert error.startswith(f"error: params.yaml: model is {name!r}; expected ")
    assert all(line.startswith("make: ") for line in rest)
    assert with_raw.files() == before


@pytest.mark.parametrize("name", NAMES)
def test_repro_runs_nothing_but_the_check_and_touches_nothing(with_raw, name):
    with_raw.change_params(model=name)
    before = with_raw.files()
    done = with_raw.run("dvc", "repro")
    assert done.returncode != 0
    assert set(ran(done)) <= {"check"}
    after = with_raw.files()
    changed = {file for file in before | after if after.get(file) != before.get(file)}
    assert {file for file in changed if not file.startswith("data/checked/")} == set()


@pytest.mark.parametrize("name", NAMES)
def test_after_an_experiment_a_checkout_brings_all_back(with_raw, name):
    before = with_raw.files()
    done = with_raw.run("dvc", "exp", "run", "--set-param", f"model='{name}'")
    assert done.returncode != 0
    assert set(ran(done)) <= {"check"}
    with_raw.git("checkout", "--quiet", ".")
    with_raw.dvc("checkout")
    after = with_raw.files()
    lost = {file for file in before if after.get(file) != before[file]}
    assert {file for file in lost if not file.startswith("data/checked/")} == set()
