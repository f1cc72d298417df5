"""The process that runs DVC so that a stop cannot harm its files.

DVC that is killed while it writes dvc.lock leaves an empty file (12 of 12 killed within 30 ms of
"Updating lock file"). Hence this module lets it replace the file at once. It also runs DVC in a
process that ends what DVC runs, if told to end; DVC then finishes by itself: finished trainings are
recorded, unfinished ones are not.
"""

import os
import runpy
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from foldwise.core.atomic import open_whole

REPEAT_SECONDS = 0.1  # until the next SIGTERM, for what DVC has started in the meantime


def main(args: list[str]) -> None:
    """Run `dvc ARGS` to its end, in a session of its own: SIGTERM ends all other processes there.

    Args:
        args: Command line of DVC.
    """
    signal.signal(signal.SIGTERM, _end_stages)
    _write_whole_files()
    sys.argv = ["dvc", *args]
    try:
        runpy.run_module("dvc", run_name="__main__", alter_sys=True)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)  # Python removes the handlers before it exits


def _write_whole_files() -> None:
    """Let DVC write YAML files, dvc.lock above all, under another name and then rename them."""
    from dvc.utils.serialize import _common, _yaml

    def dump(
        path: str, data: object, dumper: Callable[..., object], fs: object = None, **options: object
    ) -> None:
        if fs is not None and getattr(fs, "protocol", None) != "local":
            write(path, data, dumper=dumper, fs=fs, **options)
        else:
            with open_whole(Path(path)) as file:
                dumper(data, file, **options)

    write, _yaml._dump_data, _common._dump_data = _common._dump_data, dump, dump


def _end_stages(_number: int, _frame: FrameType | None) -> None:
    """End all other processes of this session, repeatedly, until DVC itself has ended."""
    # Functions, not SIG_IGN, because child processes of DVC would inherit SIG_IGN.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    signal.signal(signal.SIGALRM, lambda _number, _frame: os.killpg(0, signal.SIGTERM))
    signal.setitimer(signal.ITIMER_REAL, REPEAT_SECONDS / 10, REPEAT_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1:])
