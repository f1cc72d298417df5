import fcntl
import os
import pty
import struct
import sys
import termios

import pytest

from foldwise.run.progress import ParallelProgress

STAGES = [f"train@slim_vgg-0-{fold}" for fold in range(4)]
END = "that is all"
EPOCH = "slim_vgg repeat 0 fold 1 of 4: epoch 3 of 10, loss 0.350, validation accuracy 0.976"


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


def run_some(board):
    """One fold ends, one fails, two run."""
    for stage in STAGES[:2]:
        board.started(stage)
    board.said(STAGES[0], "train: slim_vgg repeat 0 fold 0, 97.00 % right")
    board.ended(STAGES[0], None)
    board.started(STAGES[2])
    board.ended(STAGES[1], "it broke (all of it in x.log)")
    board.started(STAGES[3])
    board.said(STAGES[2], EPOCH)


def test_in_a_log_each_fold_is_one_line_when_it_ends(capsys):
    with ParallelProgress(STAGES) as board:
        run_some(board)
    assert capsys.readouterr().err.splitlines() == [
        "[1/4] train: slim_vgg repeat 0 fold 0, 97.00 % right",
        "[2/4] train@slim_vgg-0-1 failed: it broke (all of it in x.log)",
    ]
    assert board.failures == {STAGES[1]: "it broke (all of it in x.log)"}


@pytest.mark.parametrize("columns", [80, 120])
def test_in_a_terminal_one_bar_shows_what_ended_failed_and_runs(terminal, columns):
    shown = terminal(columns)
    with ParallelProgress(STAGES) as board:
        run_some(board)
        last = shown().split("\r")[-1]
    assert last.startswith("2/4 |")
    assert "1 failed, slim_vgg-0-2 3/10, slim_vgg-0-3" in last
    assert len(last) < columns


def test_in_a_terminal_what_is_too_long_is_cut(terminal):
    shown = terminal(80)
    with ParallelProgress([f"{stage}{'x' * 30}" for stage in STAGES]) as board:
        for stage in STAGES:
            board.started(f"{stage}{'x' * 30}")
        last = shown().split("\r")[-1]
    assert len(last.removesuffix("\x1b[0m")) <= 80


def test_a_fold_that_says_nothing_is_up_to_date(capsys):
    with ParallelProgress(STAGES[:1]) as board:
        board.started(STAGES[0])
        board.ended(STAGES[0], None)
    assert capsys.readouterr().err == "[1/1] train@slim_vgg-0-0 is up to date\n"
