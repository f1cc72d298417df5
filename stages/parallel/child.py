"""DVC as a child that ends soundly with the command that started it.

A DVC that is killed while it writes dvc.lock leaves it empty: so did 12 of 12 killed within 30 ms
of "Updating lock file". So this one, told to end or left alone, ends what it runs, and then itself
in its own time: a training that is done is recorded, and none that is not.
"""

import os
import runpy
import signal
import sys
from types import FrameType

from stages.contracts.process import die_with_parent

AGAIN = 0.1  # seconds after which what DVC has started meanwhile is told to end, too


def dvc_command(*words: str) -> list[str]:
    """Return the command that runs `dvc WORDS` as a child of this process.

    Start it in a session of its own: it ends all that runs there.
    """
    return [sys.executable, "-m", "stages.parallel.child", str(os.getpid()), *words]


def main(parent: int, words: list[str]) -> None:
    """Run `dvc WORDS` until it or the parent ends.

    Args:
        parent: Process number of who started this.
        words: Of DVC's command line.
    """
    signal.signal(signal.SIGTERM, _end)
    die_with_parent(parent, signal.SIGTERM)
    sys.argv = ["dvc", *words]
    try:
        runpy.run_module("dvc", run_name="__main__", alter_sys=True)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)  # Python, as it ends, leaves no handler


def _end(_number: int, _frame: FrameType | None) -> None:
    """Tell all others of this session to end, now and again until DVC itself has ended."""
    # Functions, not SIG_IGN: the latter would be inherited by what DVC starts.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    signal.signal(signal.SIGALRM, lambda _number, _frame: os.killpg(0, signal.SIGTERM))
    signal.setitimer(signal.ITIMER_REAL, AGAIN / 10, AGAIN)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
