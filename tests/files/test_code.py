import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from foldwise.files.project import stage_fingerprints

ROOT = Path(__file__).parents[2]
STAGES = (
    *("prepare", "split", "augment", "build", "extract", "forecast"),
    *("train", "compare", "mistakes", "report"),
)
TIMED = {"extract", "forecast", "train"}  # stages that run networks on images, and what times them
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


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("core/errors.py", set()),
        ("core/process.py", set()),
        ("files/params.py", set()),
        ("files/validation.py", set()),
        ("files/features.py", {"extract"}),
        ("files/split.py", {"augment", "split"}),
        ("files/fold_record.py", {"train"}),
        ("files/verdict.py", {"compare"}),
        ("data/decode.py", {"prepare"}),
        ("data/folds.py", {"split"}),
        ("data/augment.py", {"augment", *TIMED}),
        ("nets/zoo/lenet5.py", {"build"}),
        ("nets/network.py", {"build", *TIMED}),
        ("nets/composition.py", {"build"}),
        ("engine/trainer.py", {"forecast", "train"}),
        ("engine/hardware.py", TIMED),
        ("selection/statistics.py", {"compare"}),
        ("report/figures/style.py", {"report"}),
        ("plan/throughput.py", {"forecast"}),
        ("run/progress.py", set()),
        ("cli/run.py", set()),
    ],
)
def test_a_change_of_code_counts_for_the_stages_whose_results_it_decides(project, file, stages):
    before = stage_fingerprints(project)
    path = project / "foldwise" / file
    text = path.read_text()
    path.write_text(f"# A comment.\n\n{text}\n# Another.\n")
    assert stage_fingerprints(project) == before
    path.write_text(f"{text}\nNEW = 1\n")
    after = stage_fingerprints(project)
    assert {stage for stage in before if before[stage] != after[stage]} == stages


def test_new_stage_and_new_network_count(project):
    before = stage_fingerprints(project)
    (project / "stages" / "deploy.py").write_text("import foldwise.data.decode\n")
    (project / "foldwise" / "nets" / "zoo" / "mine.py").write_text("TITLE = 'mine'\n")
    after = stage_fingerprints(project)
    assert "foldwise.data.decode" in after["deploy"]
    assert set(after["build"]) - set(before["build"]) == {"foldwise.nets.zoo.mine"}
    assert after["train"] == before["train"]
