import importlib
import shutil
import sys
from pathlib import Path

import pytest

from stages.check.closure import closures

ROOT = Path(__file__).parents[2]
NETWORKS = sorted((ROOT / "stages" / "build" / "networks").glob("[!_]*.py"))
ADAPTERS = sorted((ROOT / "stages" / "build" / "adapters").glob("[!_]*.py"))
TIMED = {"advise", "bench", "extract", "forecast", "train"}  # what trains, and what times that


@pytest.fixture(scope="module")
def closed():
    return closures(ROOT)


def forget():
    """Let Python forget our modules; torch and the like stay, which take seconds to load."""
    ours = [name for name in sys.modules if name.split(".")[0] == "stages"]
    return {name: sys.modules.pop(name) for name in ours}


@pytest.fixture
def load():
    """Import modules as a new Python would, and return all of ours that it loads."""
    before = forget()

    def load(names):
        forget()
        for name in names:
            importlib.import_module(name)
        return set(forget())

    yield load
    forget()
    sys.modules.update(before)


def test_every_module_that_a_stage_loads_counts(closed, load):
    for stage, counted in closed.items():
        names = [f"stages.{stage}.__main__"]
        if stage == "build":  # imports them by name
            names += [f"stages.build.networks.{path.stem}" for path in NETWORKS]
            names += [f"stages.build.adapters.{path.stem}" for path in ADAPTERS]
        if stage == "extract":  # where it has something to do
            names.append("stages.extract.store")
        assert set(names) <= load(names) <= set(counted), stage


def test_check_and_stages_that_only_check_knows_count_for_none(closed):
    assert "check" not in closed
    assert not any(name.startswith("stages.check") for found in closed.values() for name in found)


def test_network_counts_for_build_but_for_train_through_network_json_alone(closed):
    assert len(NETWORKS) >= 4
    for path in (*NETWORKS, *ADAPTERS):
        assert f"stages.build.{path.parent.name}.{path.stem}" in closed["build"]
    for stage in ("extract", "train"):
        assert not any(".networks" in name or ".adapters" in name for name in closed[stage])
    assert not any(name.endswith("__init__") for name in closed["build"])


def test_report_and_compare_never_load_torch(closed):
    for stage in ("compare", "report"):
        assert not {"stages.contracts.network", "stages.build.network"} & set(closed[stage])


@pytest.fixture
def project(tmp_path):
    shutil.copytree(ROOT / "stages", tmp_path / "stages")
    return tmp_path


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("report/markdown.py", {"report"}),
        ("compare/verdict.py", {"compare"}),
        ("build/networks/lenet5.py", {"build"}),
        ("build/network.py", {"build", *TIMED}),
        ("build/cut.py", {"build", *TIMED}),
        ("build/adapters/composition.py", {"build"}),
        ("augment/transforms.py", {"augment", *TIMED}),
        ("contracts/recipe.py", {"augment", *TIMED}),
        ("forecast/clock.py", {"advise", "bench", "forecast"}),
        ("check/schema.py", set()),
    ],
)
def test_change_of_code_counts_for_the_stages_that_import_it(project, file, stages):
    before = closures(project)
    path = project / "stages" / file
    text = path.read_text()
    path.write_text(f"# A comment.\n\n{text}\n# Another.\n")
    assert closures(project) == before
    path.write_text(f"{text}\nNEW = 1\n")
    after = closures(project)
    assert {stage for stage in before if before[stage] != after[stage]} == stages


def test_new_stage_and_new_network_count(project):
    before = closures(project)
    (project / "stages" / "deploy").mkdir()
    (project / "stages" / "deploy" / "__main__.py").write_text("import stages.contracts.card\n")
    (project / "stages" / "build" / "networks" / "mine.py").write_text("TITLE = 'mine'\n")
    after = closures(project)
    assert "stages.contracts.card" in after["deploy"]
    assert set(after["build"]) - set(before["build"]) == {"stages.build.networks.mine"}
    assert after["train"] == before["train"]
