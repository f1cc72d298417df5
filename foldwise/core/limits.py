"""Limits for input that is not ours: only regular files, of some size, in some time."""

import errno
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

SIGNALS = {signal.ITIMER_REAL: signal.SIGALRM, signal.ITIMER_VIRTUAL: signal.SIGVTALRM}


class TimeLimitError(Exception):
    """A time limit has passed."""


def read_limited(path: Path, max_bytes: int) -> bytes:
    """Return the content of a regular file.

    A FIFO or a device could block for ever, or never end.

    Raises:
        OSError: If it cannot be read, is no regular file, or has more than max_bytes.
    """
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "Is a directory")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    if status.st_size > max_bytes:
        raise OSError(errno.EFBIG, f"{status.st_size:,} bytes, over {max_bytes:,}")
    return path.read_bytes()


@contextmanager
def time_limit(seconds: float, timer: int = signal.ITIMER_REAL) -> Iterator[None]:
    """Stop the code inside after some time, also inside a regular expression or a download.

    Only in the main thread, because no other thread receives signals. All stages run in it.

    Args:
        seconds: The limit.
        timer: ITIMER_REAL for seconds of the clock, ITIMER_VIRTUAL for CPU time.

    Raises:
        TimeLimitError: If the time has passed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(SIGNALS[timer], _raise_time_limit)
    try:
        signal.setitimer(timer, seconds)
        yield
    finally:
        signal.setitimer(timer, 0)
        signal.signal(SIGNALS[timer], previous)


def _raise_time_limit(_number: int, _frame: FrameType | None) -> None:
    raise TimeLimitError
