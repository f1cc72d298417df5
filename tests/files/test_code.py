import json
import shutil
from pathlib import Path

import pytest
from rerun_table import (
    ERROR_TEXTS,
    STALE_AFTER,
    STALE_AFTER_EDIT,
    add_comments,
    add_constant,
    change_error_texts,
)

from foldwise.files.project import stage_fingerprints

ROOT = Path(__file__).parents[2]
STAGES = (
    *("prepare", "split", "augment", "build", "extract", "forecast", "tune"),
    *("first", "race", "train", "inspect", "compare", "mistakes", "report"),
)
FINAL = ("choose", "refit", "calibrate", "test", "export", "card")  # of final/dvc.yaml
# Each stage is imported in a fork. Packages, and our layers that do not count, are imported once.
LOADED = """
import importlib, json, os, pkgutil, sys
import foldwise.core, foldwise.files
import jinja2, markdown_it, matplotlib.figure, pandas, safetensors.torch, scipy.stats
import sklearn.model_selection, torchinfo
for package in (foldwise.core, foldwise.files):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
for stage, names in json.loads(sys.argv[1]).items():
    if os.fork() == 0:
        for name in names:
            importlib.import_module(name)
        ours = [name for name in sys.modules if name.split(".")[0] in ("foldwise", "stages")]
        print(stage, *ours, flush=True)
        os._exit(0)
    assert os.wait()[1] == 0
"""
# Imported where there is something to do.
LATER = {
    "extract": ["foldwise.engine.extract"],
    "tune": ["foldwise.engine.tuning"],
    "first": ["foldwise.engine.training"],
    "train": ["foldwise.engine.training"],
}


@pytest.fixture(scope="module")
def counted():
    return stage_fingerprints(ROOT)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("code")
    for package in ("foldwise", "stages"):
        shutil.copytree(ROOT / package, folder / package)
    return folder


@pytest.fixture
def fingerprints_after(copy):
    """Return a function that changes files of the library and returns the fingerprints then."""

    def fingerprints_after(changes):
        before = {
            copy / "foldwise" / file: (copy / "foldwise" / file).read_text() for file in changes
        }
        for (path, text), change in zip(before.items(), changes.values(), strict=True):
            path.write_text(change(text))
        try:
            return stage_fingerprints(copy)
        finally:
            for path, text in before.items():
                path.write_text(text)

    return fingerprints_after


def name_of(file):
    return "foldwise." + file.removesuffix(".py").replace("/", ".")


def test_every_stage_has_fingerprints_but_check(counted):
    assert sorted(counted) == sorted([*STAGES, *FINAL])


@pytest.fixture(scope="module")
def loaded(dvc_process):
    """Return the modules of ours that each stage loads."""
    names = {stage: [f"stages.{stage}", *LATER.get(stage, [])] for stage in (*STAGES, *FINAL)}
    lines = dvc_process.run("-c", LOADED, json.dumps(names)).stdout.splitlines()
    return {line.split()[0]: set(line.split()[1:]) for line in lines}


@pytest.mark.parametrize("stage", [*STAGES, *FINAL])
def test_every_computing_module_that_a_stage_loads_counts(counted, loaded, stage):
    free = ("foldwise.core", "foldwise.files", "foldwise.run")
    computing = {name for name in loaded[stage] if not name.startswith(free)} - {"foldwise"}
    assert {f"stages.{stage}", *LATER.get(stage, [])} <= computing
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
    for stage in ("extract", "tune", "first", "train"):
        assert not any(".zoo." in name for name in counted[stage])


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        *STALE_AFTER.items(),
        ("engine/refit.py", {"refit"}),
        ("ship/calibration.py", {"calibrate", "test"}),
        ("ship/testing.py", {"test"}),
        ("ship/export.py", {"export"}),
        ("report/model_card.py", {"card"}),
    ],
)
def test_a_module_counts_for_the_stages_whose_results_it_decides(counted, file, stages):
    among = STAGES if file in STALE_AFTER else counted
    assert {stage for stage in among if name_of(file) in counted[stage]} == stages


def test_a_new_constant_changes_the_fingerprint_of_its_module_alone(counted, fingerprints_after):
    after = fingerprints_after(dict.fromkeys(STALE_AFTER, add_constant))
    for stage, modules in counted.items():
        changed = {name for name in modules if modules[name] != after[stage][name]}
        assert changed == {name_of(file) for file in STALE_AFTER} & modules.keys()


@pytest.mark.parametrize(("edit", "stages"), STALE_AFTER_EDIT.items())
def test_what_a_format_computes_counts_where_it_is_used(counted, fingerprints_after, edit, stages):
    file, old, new = edit
    after = fingerprints_after({f"files/{file}": lambda text: text.replace(old, new)})
    assert after != counted or not stages
    assert {stage for stage in STAGES if counted[stage] != after[stage]} == stages


def test_comments_count_for_no_stage(counted, fingerprints_after):
    assert fingerprints_after(dict.fromkeys(STALE_AFTER, add_comments)) == counted


def test_error_texts_count_for_no_stage(counted, fingerprints_after):
    assert fingerprints_after(dict.fromkeys(ERROR_TEXTS, change_error_texts)) == counted


def test_new_stage_and_new_network_count(copy, tmp_path):
    project = shutil.copytree(copy, tmp_path / "project")
    before = stage_fingerprints(project)
    (project / "stages" / "deploy.py").write_text("import foldwise.data.decode\n")
    (project / "foldwise" / "nets" / "zoo" / "mine.py").write_text("TITLE = 'mine'\n")
    after = stage_fingerprints(project)
    assert "foldwise.data.decode" in after["deploy"]
    assert set(after["build"]) - set(before["build"]) == {"foldwise.nets.zoo.mine"}
    assert after["train"] == before["train"]
