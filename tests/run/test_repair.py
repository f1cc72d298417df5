"""The repair of files that a killed DVC has cut, or in which it still holds locks."""

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest
import zc.lockfile
from filelock import FileLock
from git_command import git

from foldwise.core.errors import InputError
from foldwise.run.repair import is_lock_file, read_lock, repair_dvc_files

WHOLE = "schema: '2.0'\nstages:\n  a:\n    cmd: make a\n    outs:\n    - path: a\n"


@pytest.fixture(autouse=True)
def repository(tmp_path, monkeypatch):
    """Be in a git repository in which dvc.lock is committed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.lock").write_text(WHOLE)
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    for words in (["init", "--quiet"], ["add", "dvc.lock"]):
        git(".", *words)
    return tmp_path


def test_whole_files_stay_and_nothing_is_said(repository):
    (repository / "dvc.lock").write_text(WHOLE + "  b:\n    cmd: make b\n")
    (repository / ".dvc/tmp/rwlock").write_text("{}")
    before = (repository / "dvc.lock").read_text()
    assert list(repair_dvc_files()) == []
    assert (repository / "dvc.lock").read_text() == before
    assert (repository / ".dvc/tmp/rwlock").exists()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="only Linux has /proc")
def test_locks_of_a_process_that_nobody_reaps_are_dropped(repository):
    """As in a container whose first process reaps no orphans: to DVC, a zombie runs for ever."""
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as zombie:
        assert zombie.stdout.read() == b""  # it has ended, and nobody has asked for its status
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        dead, alive = ({"pid": pid, "cmd": "dvc repro"} for pid in (zombie.pid, os.getpid()))
        locks = {"read": {"a": [dead], "b": [dead, alive]}, "write": {"c": dead, "d": alive}}
        path = repository / ".dvc/tmp/rwlock"
        path.write_text(json.dumps(locks))
        assert list(repair_dvc_files()) == []
        assert json.loads(path.read_text()) == {"read": {"b": [alive]}, "write": {"d": alive}}


@pytest.mark.parametrize(
    "content",
    ["", "schema", WHOLE[:20], WHOLE[:35], WHOLE[:-12], WHOLE[:-5], "stages: [a]", "\udcff"],
)
def test_a_cut_dvc_lock_comes_back_from_git(repository, content):
    (repository / "dvc.lock").write_bytes(content.encode(errors="surrogateescape"))
    (line,) = repair_dvc_files()
    assert line.startswith("dvc.lock was incomplete")
    assert "from git" in line
    assert (repository / "dvc.lock").read_text() == WHOLE


def test_the_stages_are_read_and_a_merge_conflict_is_one_line(repository):
    assert [*read_lock()] == ["a"]
    (repository / "dvc.lock").write_text(f"<<<<<<< HEAD\n{WHOLE}=======\n{WHOLE}>>>>>>> b\n")
    with pytest.raises(InputError, match=r"^dvc\.lock is .* remove it, run 'dvc repro'.*$"):
        read_lock()
    (repository / "dvc.lock").unlink()
    assert read_lock() == {}


@pytest.mark.parametrize("in_git", [True, False])
def test_a_cut_dvc_lock_that_git_does_not_have_whole_is_removed(repository, in_git):
    (repository / "dvc.lock").write_text("")
    words = ["add"] if in_git else ["rm", "--quiet", "--cached", "--force"]
    git(".", *words, "dvc.lock")
    (line,) = repair_dvc_files()
    assert "removed it" in line
    assert not (repository / "dvc.lock").exists()


def test_a_cut_rwlock_is_removed(repository):
    path = repository / ".dvc/tmp/rwlock"
    path.write_text('{"write": {"a"')
    (line,) = repair_dvc_files()
    assert "rwlock" in line
    assert not path.exists()


@pytest.mark.parametrize(
    ("path", "held"), [("dvc.lock", ".dvc/tmp/lock"), (".dvc/tmp/rwlock", ".dvc/tmp/rwlock.lock")]
)
def test_what_dvc_is_writing_is_not_touched(repository, monkeypatch, path, held):
    (repository / path).write_text("")
    monkeypatch.setattr("foldwise.run.repair.LOCK_SECONDS", 0.1)
    with FileLock(held), pytest.raises(InputError, match=f"{path} is incomplete.*{held}.* again"):
        list(repair_dvc_files())
    assert (repository / path).read_text() == ""


def test_dvc_that_writes_dvc_lock_is_waited_for(repository):
    (repository / "dvc.lock").write_text("")
    dvc = zc.lockfile.LockFile(repository / ".dvc/tmp/lock")  # the lock of DVC itself
    newer = WHOLE + "  b:\n    cmd: make b\n"

    def write() -> None:
        (repository / "dvc.lock").write_text(newer)
        dvc.close()

    Timer(0.3, write).start()
    assert list(repair_dvc_files()) == []
    assert (repository / "dvc.lock").read_text() == newer


def test_what_dvc_writes_is_whole():
    assert is_lock_file(WHOLE.encode())
