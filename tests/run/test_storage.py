"""Results through a DVC remote, by real runs of DVC in small projects."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from foldwise.core.errors import InputError
from foldwise.run.remote import choose_remote, fetch_inputs, fetch_results, send_results

# DVC calls a library so; its own command line does not show it.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")
PIPELINE = """
stages:
  fit:
    cmd: cp seed.txt model.txt && cp seed.txt record.json
    deps: [seed.txt]
    outs: [model.txt]
    plots: [{record.json: {cache: false}}]
  test:
    cmd: cp model.txt result.txt
    deps: [model.txt]
    outs: [result.txt]
  later:
    cmd: cp seed.txt later.txt
    deps: [seed.txt]
    outs: [later.txt]
"""


def dvc(*words):
    """Run dvc here and return what it prints."""
    command = (sys.executable, "-m", "dvc", *words)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


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
    """Name a remote's address in one of the configuration files of a project."""
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


def test_a_result_comes_to_another_machine_with_what_dvc_does_not_cache(other, monkeypatch):
    dvc("repro", "fit")
    send_results()
    monkeypatch.chdir(other)
    assert fetch_results(["fit", "later"], "store") == ["fit"]
    assert "is cached - skipping run" in dvc("repro", "--single-item", "fit")
    assert Path("record.json").read_text() == "0\n"
    assert dvc("status", "fit") == "Data and pipelines are up to date.\n"


def test_fetching_leaves_the_files_here_alone(other, monkeypatch):
    dvc("repro", "fit")
    send_results()
    monkeypatch.chdir(other)
    Path("record.json").write_text("mine\n")
    assert fetch_results(["fit"], "store") == ["fit"]
    assert Path("record.json").read_text() == "mine\n"


def test_a_result_of_which_a_file_is_lost_counts_as_missing(other, tmp_path, monkeypatch):
    dvc("repro", "fit")
    send_results()
    shutil.rmtree(tmp_path / "store" / "files")
    monkeypatch.chdir(other)
    assert fetch_results(["fit"], "store") == []


def test_inputs_are_fetched_and_nothing_else(other, monkeypatch):
    dvc("repro", "test")
    dvc("push", "--quiet")
    shutil.copy("dvc.lock", other)
    monkeypatch.chdir(other)
    fetch_inputs("test")
    assert Path("model.txt").exists()
    assert not Path("result.txt").exists()


def test_the_default_remote_is_taken_or_the_one_asked_for(project):
    with (project / ".dvc/config").open("a") as config:
        config.write("['remote \"second\"']\n    url = /nowhere\n")
    assert choose_remote(None) == "store"
    assert choose_remote("second") == "second"


def test_a_remote_without_a_run_cache_is_one_line(project):
    (project / ".dvc/config").unlink()
    configure(project, "http://127.0.0.1:9/store")
    with pytest.raises(InputError, match=r"^DVC: run-cache is not supported for http filesystem"):
        fetch_results([], "store")


def test_no_remote_is_one_line_with_what_to_do(project):
    (project / ".dvc/config").write_text("[core]\n    no_scm = true\n")
    with pytest.raises(
        InputError, match=r"^there is no DVC remote, .*; dvc remote add -d NAME URL$"
    ):
        choose_remote(None)


def test_a_remote_that_workers_do_not_know_is_refused(project):
    """It may hold credentials, and .dvc/config.local stays here."""
    (project / ".dvc/config").unlink()
    (project / ".dvc/config.local").unlink()
    configure(project, "/nowhere", "config.local")
    with pytest.raises(InputError, match=r"^the DVC remote 'store' is not in \.dvc/config, "):
        choose_remote(None)


def test_a_relative_address_is_refused(project):
    (project / ".dvc/config").unlink()
    configure(project, "../../store")
    with pytest.raises(InputError, match=r"^the DVC remote 'store' has an address relative to "):
        choose_remote(None)
