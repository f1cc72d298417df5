"""Run DVC so that it can be told to end without damage to dvc.lock.

DVC that is killed while it writes dvc.lock leaves an empty file (12 of 12 killed within 30 ms of
"Updating lock file"). Told to end (SIGTERM), this process ends what DVC runs, and DVC then finishes
by itself: finished trainings are recorded, unfinished ones are not.
"""

import os
import runpy
import signal
import sys
from types import FrameType

REPEAT_SECONDS = 0.1  # until the next SIGTERM, for what DVC has started in the meantime


def main(args: list[str]) -> None:
    """Run `dvc ARGS` until it ends.

    Call it in a session of its own, because SIGTERM ends all processes of the session.

    Args:
        args: Command line of DVC.
    """
    signal.signal(signal.SIGTERM, _end)
    sys.argv = ["dvc", *args]
    try:
        runpy.run_module("dvc", run_name="__main__", alter_sys=True)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)  # Python removes the handlers before it exits


def _end(_number: int, _frame: FrameType | None) -> None:
    """End all other processes of this session, repeatedly, until DVC itself has ended."""
    # Functions, not SIG_IGN, because child processes of DVC would inherit SIG_IGN.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    signal.signal(signal.SIGALRM, lambda _number, _frame: os.killpg(0, signal.SIGTERM))
    signal.setitimer(signal.ITIMER_REAL, REPEAT_SECONDS / 10, REPEAT_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1:])
