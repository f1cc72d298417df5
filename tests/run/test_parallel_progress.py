"""The display of parallel trainings, and the log lines that drive it."""

import fcntl
import os
import pty
import struct
import sys
import termios

import pytest

from foldwise.run.progress import ParallelProgress, error_line, is_result_line, parse_epoch

STAGES = [f"train@slim_vgg-0-{fold}" for fold in range(4)]
END = "that is all"
EPOCH_LINE = (
    "slim_vgg repeat 0 fold 0 (of 0 to 3): epoch 3 of 10, loss 0.350, validation accuracy 0.976"
)


@pytest.fixture
def terminal(monkeypatch):
    """Return a function that makes stderr a terminal of some columns, and one that reads it."""
    opened = []

    def terminal(columns):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        stderr = os.fdopen(theirs, "w")
        opened.append((ours, stderr))
        monkeypatch.setattr(sys, "stderr", stderr)

        def shown():
            stderr.write(END)
            stderr.flush()
            found = b""
            while not found.endswith(END.encode()):  # comes in pieces
                found += os.read(ours, 2**16)
            return found.decode().removesuffix(END)

        return shown

    yield terminal
    for ours, stderr in opened:
        stderr.close()
        os.close(ours)


def run_four_folds(progress):
    """One fold ends, one fails, two run."""
    for stage in STAGES[:2]:
        progress.started(stage)
    progress.printed(STAGES[0], "train: slim_vgg repeat 0 fold 0, 97.00 % right")
    progress.ended(STAGES[0], None)
    progress.started(STAGES[2])
    progress.ended(STAGES[1], "it broke (see x.log)")
    progress.started(STAGES[3])
    progress.printed(STAGES[2], EPOCH_LINE)


def test_in_a_log_each_fold_is_one_line_when_it_ends(capsys):
    with ParallelProgress(STAGES) as progress:
        run_four_folds(progress)
    assert capsys.readouterr().err.splitlines() == [
        "[1/4] train: slim_vgg repeat 0 fold 0, 97.00 % right",
        "[2/4] train@slim_vgg-0-1 failed: it broke (see x.log)",
    ]
    assert progress.failures == {STAGES[1]: "it broke (see x.log)"}


@pytest.mark.parametrize("columns", [80, 120])
def test_in_a_terminal_one_bar_shows_what_ended_failed_and_runs(terminal, columns):
    shown = terminal(columns)
    with ParallelProgress(STAGES) as progress:
        run_four_folds(progress)
        last = shown().split("\r")[-1]
    assert last.startswith("2/4 |")
    assert "1 failed, slim_vgg-0-2 3/10, slim_vgg-0-3" in last
    assert len(last) < columns


def test_in_a_terminal_a_long_line_is_cut(terminal):
    shown = terminal(80)
    with ParallelProgress([f"{stage}{'x' * 30}" for stage in STAGES]) as progress:
        for stage in STAGES:
            progress.started(f"{stage}{'x' * 30}")
        last = shown().split("\r")[-1]
    assert len(last.removesuffix("\x1b[0m")) <= 80


def test_a_fold_without_output_is_up_to_date(capsys):
    with ParallelProgress(STAGES[:1]) as progress:
        progress.started(STAGES[0])
        progress.ended(STAGES[0], None)
    assert capsys.readouterr().err == "[1/1] train@slim_vgg-0-0 is up to date\n"


START = "Running stage 'train@net-0-1':\n> exec python -m stages.train --params params.yaml\n"
LAST_EPOCH = (
    "net repeat 0 fold 1 (of 0 to 4): epoch 4 of 10, loss 0.350, validation accuracy 0.976; "
    "3 s left\n"
)
TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 1\nRuntimeError: no kernel\n'
DVC_ERROR = (
    "ERROR: failed to reproduce 'train@net-0-1': failed to run: exec python, exited with 1\n"
)


def test_the_epoch_is_read_from_its_last_line():
    assert parse_epoch(LAST_EPOCH) == "4/10"
    assert parse_epoch("Updating lock file 'dvc.lock'") is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("train: net repeat 0 fold 1, 98.26 % of validation images right", True),
        ("Stage 'train@net-0-1' is cached - skipping run, checking out outputs", True),
        (LAST_EPOCH, False),
    ],
)
def test_the_result_line_says_that_the_fold_was_trained_or_restored(line, expected):
    assert is_result_line(line) == expected


@pytest.mark.parametrize(
    ("log", "error"),
    [
        (START + LAST_EPOCH + "error: data/x is missing\n" + DVC_ERROR, "data/x is missing"),
        (START + LAST_EPOCH + TRACEBACK + "\n" + DVC_ERROR, "RuntimeError: no kernel"),
        (START + LAST_EPOCH + DVC_ERROR, DVC_ERROR.removeprefix("ERROR: ").strip()),  # killed
        (
            "ERROR: unexpected error - disk full\n\nHaving trouble?\n",
            "unexpected error - disk full",
        ),
        ("dvc: not found\n", "dvc: not found"),
        ("", "the log is empty"),
    ],
)
def test_the_error_line_gives_the_reason(log, error):
    assert error_line(log) == error
