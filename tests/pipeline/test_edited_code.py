"""Code that is edited while the pipeline runs: no result gets the fingerprint of other code."""

import os
import shlex
import signal
import subprocess

import pytest
import yaml
from rerun_table import add_comments, add_constant
from test_reruns import CHECK

from foldwise.core.preload import Command, wait
from foldwise.run.preload_server import preload_server, start_command

TRAIN = "train@lenet5-0-0"


def edit(clone, file, change=add_constant):
    path = clone.path / file
    path.write_text(change(path.read_text()))


def test_a_training_does_not_begin_with_code_that_check_has_not_seen(clone):
    """As if a file is edited after check, while another fold trains."""
    lock = (clone.path / "dvc.lock").read_bytes()
    edit(clone, "foldwise/engine/trainer.py")
    done = clone.quick("dvc", "repro", "--single-item", "--force", TRAIN)
    assert done.returncode != 0
    assert "error: foldwise.engine.trainer: edited" in done.stderr
    assert (clone.path / "dvc.lock").read_bytes() == lock
    assert clone.quick(*CHECK).returncode == 0
    done = clone.quick("dvc", "repro", "--single-item", TRAIN)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def race(clone, monkeypatch):
    """Return a function that runs the stage race in a fork of a preload server of the clone."""
    monkeypatch.chdir(clone.path)
    monkeypatch.setenv("PYTHONPATH", str(clone.path))
    command = yaml.safe_load((clone.path / "dvc.yaml").read_text())["stages"]["race"]["cmd"]
    _, _, _, module, *args = shlex.split(command)
    with preload_server([module], signal.SIGKILL) as address:

        def race():
            reader, writer = os.pipe()
            words = Command(module, args, str(clone.path), {**os.environ, "DVC_STAGE": "race"})
            with start_command(address, words, (0, writer, writer)) as connection:
                os.close(writer)
                with os.fdopen(reader) as output:
                    return output.read(), wait(connection)

        yield race


def check(clone):
    subprocess.run(["python", *CHECK[1:]], cwd=clone.path, check=True, capture_output=True)


def test_preloaded_code_gives_no_result_once_check_has_seen_other_code(clone, race):
    assert race()[1] == 0
    edit(clone, "foldwise/selection/race.py")
    assert race()[1] == 0  # the code that is imported is still that of check
    check(clone)
    output, status = race()
    assert (output.startswith("error: foldwise.selection.race: edited"), status) == (True, 1)


def test_a_fork_reads_the_file_of_its_stage_again(clone, race):
    assert race()[1] == 0
    edit(clone, "stages/race.py", add_comments)
    assert race()[1] == 0
    edit(clone, "stages/race.py")
    output, status = race()
    assert (output.startswith("error: stages.race: edited"), status) == (True, 1)
    check(clone)
    assert race()[1] == 0
