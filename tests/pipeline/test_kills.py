"""Stops at the worst moment: while DVC writes dvc.lock. FOLDWISE_KILLS=17 is the campaign."""

import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from trainings import COMMAND, wait_until

from foldwise.run.repair import is_lock_file

N_KILLS = int(os.environ.get("FOLDWISE_KILLS", "2"))  # of each kind
MOMENT = "Updating lock file"
DANGER_SECONDS = 0.06  # after that line, DVC is writing the file
STOPS = {
    "SIGINT to the process": lambda run: run.send_signal(signal.SIGINT),
    "SIGTERM to the process": lambda run: run.terminate(),
    "SIGINT to the group": lambda run: os.killpg(run.pid, signal.SIGINT),
    "SIGTERM to the group": lambda run: os.killpg(run.pid, signal.SIGTERM),
    "SIGKILL of one process": None,
    "SIGKILL of all processes": None,
}


def members(folder):
    """Return the IDs of all processes that work in a folder."""
    ids = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder.resolve()):
                ids.append(int(process.name))
        except OSError:  # it has ended
            continue
    return ids


def holders(clone):
    """Return /proc/ID of each process that holds a lock of DVC's on a file."""
    path = clone.path / ".dvc/tmp/rwlock"
    text = path.read_text() if path.exists() else ""
    return [Path("/proc", number) for number in re.findall(r'"pid": (\d+)', text)]


def stop(kind, run, clone, rng):
    """Stop a run; SIGKILL hits processes of the clone at random."""
    if STOPS[kind]:
        STOPS[kind](run)
        return
    victims = members(clone.path)
    for victim in victims if kind.endswith("all processes") else [rng.choice(victims)]:
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            continue


def start(clone):
    return subprocess.Popen(
        COMMAND,
        cwd=clone.path,
        env=clone.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", STOPS)
def test_no_stop_leaves_an_incomplete_dvc_lock_or_blocks_the_next_run(clone, kind):
    rng = random.Random(kind)
    for number in range(N_KILLS):
        # Reruns compare, and the report at every second time: one or two moments to hit.
        clone.change_params(compare={"worth": round(0.001 * (1 + number % 20), 4)})
        run, moment = start(clone), rng.randint(1, 2)
        for line in run.stdout:
            moment -= MOMENT in line
            if not moment:
                time.sleep(rng.uniform(0, DANGER_SECONDS))
                stop(kind, run, clone, rng)
                break
        output = run.communicate(timeout=120)[0]
        # Plain DVC waits for a zombie in its rwlock, until the first process has reaped it.
        wait_until(lambda: not members(clone.path) and not any(map(Path.exists, holders(clone))))
        assert is_lock_file((clone.path / "dvc.lock").read_bytes()), (kind, number)
        assert "Traceback" not in output, (kind, output)
        clone.dvc("status")
    result = clone.run(*COMMAND)
    assert result.returncode == 0, result.stdout + result.stderr
    assert clone.dvc("repro") == []


@pytest.mark.slow
def test_what_a_killed_dvc_has_cut_is_repaired_with_one_line(clone):
    committed = (clone.path / "dvc.lock").read_text()
    (clone.path / "dvc.lock").write_text("")
    (clone.path / ".dvc/tmp/rwlock").write_text('{"read": {')
    assert clone.quick("dvc", "status").returncode != 0
    result = clone.run(*COMMAND)
    assert result.returncode == 0, result.stdout + result.stderr
    lines = [line for line in result.stdout.splitlines() if "was incomplete" in line]
    assert [line.split()[1] for line in lines] == ["dvc.lock", ".dvc/tmp/rwlock"]
    assert (clone.path / "dvc.lock").read_text() == committed
    assert clone.dvc("repro") == []
