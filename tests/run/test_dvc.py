"""What this project relies on in DVC, checked with real runs of DVC in small projects."""

import importlib
import importlib.metadata
import shutil
from pathlib import Path

import pytest
import yaml

from foldwise.core.errors import InputError
from foldwise.run.dvc import (
    PRELOADED,
    UPSTREAM,
    choose_remote,
    fetch_inputs,
    fetch_results,
    is_cached_line,
    parse_stale,
    reproduce,
    send_results,
    split_log,
)

# From DVC's use of a library; its own command line hides it.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")
PIPELINE = """
stages:
  fit:
    cmd: cp seed.txt model.txt && cp seed.txt record.json
    deps: [seed.txt]
    outs: [model.txt]
    plots: [{record.json: {cache: false}}]
  rate:
    cmd: cp seed.txt rate.txt && cp seed.txt tried.json
    deps: [seed.txt]
    outs: [rate.txt, {tried.json: {cache: false}}]
  test:
    cmd: cp model.txt result.txt
    deps: [model.txt]
    outs: [result.txt]
  later:
    cmd: cp seed.txt later.txt
    deps: [seed.txt]
    outs: [later.txt]
"""


# What foldwise/run/dvc.py uses besides the command line. Attributes of instances, such as
# Repo.stage_cache, are in the tests of results below.
PRIVATE = """
dvc.cli:main dvc.config:Config.read dvc.config_schema:RelPath dvc.exceptions:DvcException
dvc.data_cloud:DataCloud.pull dvc.data_cloud:DataCloud.push
dvc.repo:Repo.pull dvc.repo.stage:StageLoad.collect
dvc.stage:Stage.get_used_objs dvc.stage:Stage.outs_cached dvc.stage:Stage.save_deps
dvc.stage.cache:StageCache._create_stage dvc.stage.cache:StageCache._load
dvc.stage.cache:StageCache.get_used_objs
dvc.stage.cache:StageCache.pull dvc.stage.cache:StageCache.push dvc.stage.cache:StageCache.save
dvc.utils.serialize._common:_dump_data dvc.utils.serialize._yaml:_dump_data
dvc.utils.serialize._yaml:_dump dvc.utils.serialize._yaml:parse_yaml
dvc.utils.serialize._yaml:parse_yaml_for_update
"""
DVC = f"DVC {importlib.metadata.version('dvc')}"
REMEDY = "install the version in constraints.txt, or adapt foldwise/run/dvc.py"


@pytest.fixture
def dvc(dvc_process):
    """Return a function that runs dvc in the working directory and returns what it prints."""

    def dvc(*args, check=True):
        result = dvc_process.run("-m", "dvc", *args, check=check, folder=Path.cwd())
        return result.stdout + result.stderr

    return dvc


def test_this_version_of_dvc_has_all_private_names():
    for name in (*PRELOADED, *PRIVATE.split()):
        module, _, path = name.partition(":")
        try:
            thing = importlib.import_module(module)
            for attribute in path.split(".") if path else ():
                thing = getattr(thing, attribute)
        except (ImportError, AttributeError) as error:
            pytest.fail(f"{DVC} has no {name} ({error}): {REMEDY}", pytrace=False)


def test_this_version_of_dvc_prints_what_is_parsed(dvc, other):
    """The run-cache, the errors, and `dvc status --json` of the stages by name."""
    pipeline = yaml.safe_load(PIPELINE)
    pipeline["stages"]["train"] = {
        "matrix": {"file": ["seed.txt", "bad.txt"]},
        "cmd": "cat ${item.file} | tee o-${item.file} && test ${item.file} != bad.txt",
        "deps": ["${item.file}"],
        "outs": ["o-${item.file}"],
    }
    Path("dvc.yaml").write_text(yaml.safe_dump(pipeline))
    Path("bad.txt").write_text("its own output\n")
    status = dvc("status", "--json", "train")
    stale = parse_stale(status, "train")
    assert stale == ["train@seed.txt", "train@bad.txt"], f"{DVC} prints {status}: {REMEDY}"
    dvc("repro", stale[0])
    Path("dvc.lock").unlink()
    log = dvc("repro", stale[0])
    assert any(map(is_cached_line, log.splitlines())), f"{DVC} prints {log}: {REMEDY}"
    log = dvc("repro", stale[1], check=False)
    own, errors = split_log(log)
    assert "its own output" in own, f"{DVC} prints {log}: {REMEDY}"
    assert errors[0].startswith("failed to reproduce"), f"{DVC} prints {log}: {REMEDY}"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a DVC project whose default remote is a folder; it is the working directory."""
    path = tmp_path / "project"
    (path / ".dvc").mkdir(parents=True)
    (path / ".dvc/config.local").write_text(f'[core]\n    site_cache_dir = "{tmp_path}/site"\n')
    configure(path, f'"{tmp_path}/store"')
    monkeypatch.chdir(path)
    return path


def configure(project, url, file="config"):
    """Add the URL of a remote to a configuration file of a project."""
    with (project / ".dvc" / file).open("a") as config:
        config.write("[core]\n    no_scm = true\n    remote = store\n")
        config.write(f"['remote \"store\"']\n    url = {url}\n")


@pytest.fixture
def other(project, tmp_path):
    """Return another machine: the project without its cache."""
    (project / "dvc.yaml").write_text(PIPELINE)
    (project / "seed.txt").write_text("0\n")
    shutil.copytree(project, tmp_path / "other")
    return tmp_path / "other"


@pytest.mark.parametrize(("stage", "file"), [("fit", "record.json"), ("rate", "tried.json")])
def test_a_result_reaches_another_machine_with_the_files_that_dvc_does_not_cache(
    dvc, other, monkeypatch, stage, file
):
    dvc("repro", stage)
    send_results(stage)
    monkeypatch.chdir(other)
    assert fetch_results([stage, "later"], "store") == [stage]
    assert "is cached - skipping run" in dvc("repro", "--single-item", stage)
    assert Path(file).read_text() == "0\n"
    assert dvc("status", stage) == "Data and pipelines are up to date.\n"


def test_fetching_results_leaves_the_workspace_alone(dvc, other, monkeypatch):
    dvc("repro", "fit")
    send_results("fit")
    monkeypatch.chdir(other)
    Path("record.json").write_text("mine\n")
    assert fetch_results(["fit"], "store") == ["fit"]
    assert Path("record.json").read_text() == "mine\n"


def test_a_result_with_a_lost_file_counts_as_missing(dvc, other, tmp_path, monkeypatch):
    dvc("repro", "fit")
    send_results("fit")
    shutil.rmtree(tmp_path / "store" / "files")
    monkeypatch.chdir(other)
    assert fetch_results(["fit"], "store") == []


def test_only_inputs_are_fetched(dvc, other, monkeypatch):
    dvc("repro", "test")
    dvc("push", "--quiet")
    shutil.copy("dvc.lock", other)
    monkeypatch.chdir(other)
    fetch_inputs("test")
    assert Path("model.txt").exists()
    assert not Path("result.txt").exists()


def test_the_default_remote_or_the_named_one_is_chosen(project):
    with (project / ".dvc/config").open("a") as config:
        config.write("['remote \"second\"']\n    url = /nowhere\n")
    assert choose_remote(None) == "store"
    assert choose_remote("second") == "second"


def test_a_remote_without_a_run_cache_is_one_line(project):
    (project / ".dvc/config").unlink()
    configure(project, "http://127.0.0.1:9/store")
    with pytest.raises(InputError, match=r"^DVC: run-cache is not supported for http filesystem"):
        fetch_results([], "store")


def test_no_remote_is_one_line_with_the_remedy(project):
    (project / ".dvc/config").write_text("[core]\n    no_scm = true\n")
    with pytest.raises(
        InputError, match=r"^the DVC remote .* is None; .*: dvc remote add -d NAME URL$"
    ):
        choose_remote(None)


def test_a_remote_outside_the_shared_configuration_is_rejected(project):
    """It may hold credentials, and .dvc/config.local stays here."""
    (project / ".dvc/config").unlink()
    (project / ".dvc/config.local").unlink()
    configure(project, "/nowhere", "config.local")
    with pytest.raises(InputError, match=r"^the DVC remote .* is 'store'; .* \.dvc/config"):
        choose_remote(None)


def test_a_relative_url_is_rejected(project):
    (project / ".dvc/config").unlink()
    configure(project, "../../store")
    with pytest.raises(
        InputError,
        match=r"^the URL of the DVC remote 'store' is a relative path, .* dvc remote modify store",
    ):
        choose_remote(None)


def test_reproduce_runs_one_stage_and_raises_if_it_fails(other):
    reproduce("fit")
    assert Path("model.txt").exists()
    with pytest.raises(InputError, match=r"^no_such failed"):
        reproduce("no_such")


STAGES = yaml.safe_load((Path(__file__).parents[2] / "dvc.yaml").read_text())["stages"]


def outputs(stage):
    """Return each output of a stage up to its first variable."""
    outs = [out if isinstance(out, str) else next(iter(out)) for out in STAGES[stage]["outs"]]
    return [out.split("${")[0].rstrip("/") for out in outs]


def dependencies(stage):
    """Return the stages on which a stage depends, directly or not."""
    deps = STAGES[stage]["deps"]
    direct = {
        other
        for other in STAGES
        if other != stage
        for out in outputs(other)
        if any(dep.startswith(out) for dep in deps)
    }
    return direct.union(*(dependencies(other) for other in direct))


@pytest.mark.parametrize("group", UPSTREAM)
def test_upstream_is_all_that_a_training_depends_on(group):
    assert dependencies(group) == {"check", *UPSTREAM[group]}


def test_stale_trainings_keep_the_order_of_dvc():
    status = '{"train@b-0-1": [{"changed outs": {}}], "train@a-0-0": ["changed command"]}'
    assert parse_stale(status, "train") == ["train@b-0-1", "train@a-0-0"]
    assert parse_stale("{}", "train") == []
