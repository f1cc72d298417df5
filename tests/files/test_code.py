import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rerun_table import ERROR_TEXTS, STALE_AFTER, add_comments, add_constant, change_error_texts

from foldwise.files.project import stage_fingerprints

ROOT = Path(__file__).parents[2]
STAGES = (
    *("prepare", "split", "augment", "build", "extract", "forecast"),
    *("train", "compare", "mistakes", "report"),
)
LOADED = """
import sys
import {names}
print(*(name for name in sys.modules if name.split(".")[0] in ("foldwise", "stages")))
"""


@pytest.fixture(scope="module")
def counted():
    return stage_fingerprints(ROOT)


@pytest.fixture
def project(tmp_path):
    for package in ("foldwise", "stages"):
        shutil.copytree(ROOT / package, tmp_path / package)
    return tmp_path


def test_every_stage_has_fingerprints_but_check(counted):
    assert sorted(counted) == sorted(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_every_computing_module_that_a_stage_loads_counts(counted, stage):
    names = [f"stages.{stage}"]
    if stage == "extract":  # imported where there is something to do
        names.append("foldwise.engine.extract")
    code = LOADED.format(names=", ".join(names))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    free = ("foldwise", "foldwise.core", "foldwise.files", "foldwise.run")
    computing = {
        name for name in done.stdout.split() if name != "foldwise" and not name.startswith(free[1:])
    }
    assert {f"stages.{stage}", *names} <= computing
    assert computing <= set(counted[stage])


def test_core_command_line_and_progress_count_for_no_stage(counted):
    for modules in counted.values():
        assert not any(
            name.startswith(("foldwise.core", "foldwise.run", "foldwise.cli")) for name in modules
        )


def test_networks_count_for_build_and_for_training_through_network_json_alone(counted):
    zoo = sorted((ROOT / "foldwise" / "nets" / "zoo").glob("[!_]*.py"))
    assert len(zoo) >= 4
    for path in zoo:
        assert f"foldwise.nets.zoo.{path.stem}" in counted["build"]
    for stage in ("extract", "train"):
        assert not any(".zoo." in name for name in counted[stage])


@pytest.mark.parametrize(("file", "stages"), STALE_AFTER.items())
def test_a_change_of_code_counts_for_the_stages_whose_results_it_decides(project, file, stages):
    before = stage_fingerprints(project)
    path = project / "foldwise" / file
    text = path.read_text()
    path.write_text(add_comments(text))
    assert stage_fingerprints(project) == before
    path.write_text(add_constant(text))
    after = stage_fingerprints(project)
    assert {stage for stage in before if before[stage] != after[stage]} == stages


@pytest.mark.parametrize("file", ERROR_TEXTS)
def test_error_texts_count_for_no_stage(project, file):
    before = stage_fingerprints(project)
    path = project / "foldwise" / file
    path.write_text(change_error_texts(path.read_text()))
    assert stage_fingerprints(project) == before


def test_new_stage_and_new_network_count(project):
    before = stage_fingerprints(project)
    (project / "stages" / "deploy.py").write_text("import foldwise.data.decode\n")
    (project / "foldwise" / "nets" / "zoo" / "mine.py").write_text("TITLE = 'mine'\n")
    after = stage_fingerprints(project)
    assert "foldwise.data.decode" in after["deploy"]
    assert set(after["build"]) - set(before["build"]) == {"foldwise.nets.zoo.mine"}
    assert after["train"] == before["train"]
