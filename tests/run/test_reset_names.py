"""Which edits go away with a reset, in a repository of git."""

from pathlib import Path

import pytest
from git_command import git

from foldwise.run.reset import _reset_params

FILES = ("dvc.yaml", "params.yaml")
BACKUP = Path(".dvc/tmp/before-reset/1")


@pytest.fixture
def edit(tmp_path, monkeypatch):
    """Commit two files in the current folder, and return a function that edits some of them."""
    monkeypatch.chdir(tmp_path)
    for name in FILES:
        Path(name).write_text("committed")
    Path(".dvc/tmp").mkdir(parents=True)
    git(".", "init", "--quiet")
    git(".", "add", *FILES)
    git(".", "commit", "--quiet", "--message", "committed")

    def edit(*names):
        for name in names:
            Path(name).write_text("edited")

    return edit


def reset():
    """Return the line that is printed, and the content of the files."""
    return " ".join(_reset_params(BACKUP)), [Path(name).read_text() for name in FILES]


def make_experiment():
    """Write the files as an experiment of DVC, which leaves them in the workspace."""
    git(".", "add", *FILES)
    git(".", "commit", "--quiet", "--message", "experiment")
    git(".", "update-ref", "refs/exps/x", "HEAD")
    git(".", "reset", "--quiet", "--mixed", "HEAD~")


@pytest.mark.parametrize("names", [FILES, ("params.yaml",), ("dvc.yaml",)])
def test_edits_stay_and_the_command_that_drops_them_names_every_file(edit, names):
    edit(*names)
    git(".", "add", *names)
    line, contents = reset()
    assert contents == ["edited" if name in names else "committed" for name in FILES]
    git(".", *line.partition("to drop them: git ")[2].split())
    assert reset() == ("", ["committed", "committed"])


def test_slots_go_back_with_the_candidates_of_an_experiment(edit):
    edit(*FILES)
    make_experiment()
    line, contents = reset()
    assert contents == ["committed", "committed"]
    for name in ("dvc", "params"):
        assert (BACKUP / f"{name}.yaml").read_text() == "edited"
    assert str(BACKUP) in line


def test_an_edit_of_the_pipeline_alone_stays_after_an_experiment(edit):
    edit("params.yaml")
    make_experiment()
    git(".", "checkout", "HEAD", "params.yaml")
    edit("dvc.yaml")
    line, contents = reset()
    assert contents == ["edited", "committed"]
    assert line.endswith("git checkout HEAD dvc.yaml")
