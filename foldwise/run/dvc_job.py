"""DVC as a job that ends soundly with the command that asked for it.

A DVC that is killed while it writes dvc.lock leaves it empty: so did 12 of 12 killed within 30 ms
of "Updating lock file". So this one, told to end, ends what it runs, and then itself in its own
time: a training that is done is recorded, and none that is not.
"""

import os
import runpy
import signal
import sys
from types import FrameType

AGAIN = 0.1  # seconds after which what DVC has started meanwhile is told to end, too


def main(words: list[str]) -> None:
    """Run `dvc WORDS` until it ends or is told to.

    To be called in a session of its own: all that runs there is ended.

    Args:
        words: Of DVC's command line.
    """
    signal.signal(signal.SIGTERM, _end)
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
    main(sys.argv[1:])
