import json
import re
from pathlib import Path

import pytest

from foldwise.run.guard import read_code

ROOT = Path(__file__).parents[2]
MODULE = "foldwise.data.folds"
STAGE = """import sys
from pathlib import Path
from foldwise.run.guard import run_stage
from foldwise.files.params import read_params

def main():
    params, checked = Path("params.yaml"), Path("data/checked/edits.json")
    read_params(params, "seed")
    {edit}
    print("done")

run_stage(main)
"""


@pytest.fixture
def run(tmp_path, monkeypatch, torch_process):
    """Return a function that runs a stage while someone edits a file, and returns the result."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("DVC_STAGE", "folder/dvc.yaml:edits@a-0")
    (tmp_path / "data/checked").mkdir(parents=True)
    (tmp_path / "params.yaml").write_text("seed: 0\nother: 0\n")
    for name in ("foldwise", "stages"):
        (tmp_path / name).symlink_to(ROOT / name)

    def run(edit, code=None):
        (tmp_path / "edits.py").write_text(STAGE.format(edit=edit))
        if code is not None:
            (tmp_path / "data/checked/edits.json").write_text(json.dumps({"modules": code}))
        return torch_process.run("-m", "edits", check=False, folder=tmp_path)

    return run


def of_module():
    return {MODULE: read_code([MODULE])[MODULE]}


@pytest.mark.parametrize(
    "edit", ["pass", "params.write_text(params.read_text().replace('other: ', 'other: 1'))"]
)
def test_a_stage_succeeds_if_nothing_that_it_has_read_changes(run, edit):
    done = run(edit, of_module())
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


def test_without_dvc_a_stage_runs_whatever_check_has_seen(run, monkeypatch):
    monkeypatch.delenv("DVC_STAGE")
    assert run("pass", {MODULE: "0" * 64}).returncode == 0


def test_a_stage_does_not_begin_with_other_code_than_that_of_check(run):
    done = run("pass", {MODULE: "0" * 64})
    assert (done.returncode, done.stdout) == (1, "")
    assert re.match(rf"error: {MODULE}: .* run the same command again\n$", done.stderr)


@pytest.mark.parametrize(
    "edit",
    ["checked.write_text(checked.read_text().replace(': \"', ': \"0'))", "checked.unlink()"],
)
def test_a_stage_fails_if_check_sees_other_code_meanwhile(run, edit):
    done = run(edit, of_module())
    assert done.returncode == 1
    assert re.match(rf"error: {MODULE}: .* run the same command again\n$", done.stderr)


def test_a_stage_fails_if_its_parameters_change_meanwhile(run):
    done = run("params.write_text(params.read_text().replace('seed: ', 'seed: 1'))", of_module())
    assert done.returncode == 1
    assert re.match(r"error: params.yaml has changed in seed .*'dvc repro' again\n", done.stderr)
