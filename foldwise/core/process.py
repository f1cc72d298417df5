"""Set-up of a Python process: start-up settings, and ending together with the parent."""

import argparse
import ctypes
import gc
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG = 1  # of prctl(2)
INIT = 1  # process number
INTERRUPTED = b"error: interrupted; run the same command again to continue\n"


def tune_python() -> None:
    """Make a stage start and run faster; call this before torch is imported.

    GOMP_SPINCOUNT: OpenMP threads wait actively, by default for so long that programs side by
    side stop each other. slim_vgg fell from 6,500 images/s to 90 beside a test suite, and to
    2,200 with short waits, which cost 2 to 5 % alone.
    gc: importing torch triggers 60 garbage collections, 0.15 of 2.2 seconds.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")
    gc.set_threshold(100_000)


def parse_options(
    stage: str,
    description: str | None,
    argv: Sequence[str] | None,
    paths: str,
    **types: Callable[[str], object],
) -> argparse.Namespace:
    """Return the command-line options of a stage, all of which are required.

    Args:
        stage: Name of the stage.
        description: For --help.
        argv: The options; None: those of this process.
        paths: Names of the options that are paths, separated by spaces.
        types: The types of the other options, by name.
    """
    parser = argparse.ArgumentParser(prog=f"python -m stages.{stage}", description=description)
    for name, kind in {**dict.fromkeys(paths.split(), Path), **types}.items():
        parser.add_argument(f"--{name}", type=kind, required=True)
    return parser.parse_args(argv)


def count_cores() -> int:
    """Return how many cores this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def end_when_interrupted() -> None:
    """Let Ctrl-C end this process with one line, also during imports, instead of a traceback.

    Output files appear only when they are complete, so there is nothing to clean up.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        os.write(sys.stderr.fileno(), INTERRUPTED)  # print may be interrupted itself
        os._exit(128 + signal.SIGINT)  # as shells report it

    signal.signal(signal.SIGINT, end)


def die_with_parent(parent: int | None = None, by: signal.Signals = signal.SIGKILL) -> None:
    """End this process as soon as its parent ends, or now if it already has. Linux only.

    The kernel watches the thread that started this process. A fork forgets the setting, an exec
    keeps it.

    Args:
        parent: Process number of the parent. Any other parent has adopted this process. If
            unknown, being a child of init means adopted, unless init shares our session: in a
            container, init itself may start processes.
        by: Signal that ends this process.

    Raises:
        SystemExit: If the parent has ended.
        OSError: If the kernel refuses.
    """
    if sys.platform != "linux":
        return
    before = os.getppid() if parent is None else parent
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(by)) != 0:
        raise OSError(ctypes.get_errno(), "prctl: this process cannot end with its parent")
    adopted = before == INIT and parent is None and os.getsid(INIT) != os.getsid(0)
    if os.getppid() != before or adopted:
        sys.exit("error: the process that started this one has ended; start it again")
