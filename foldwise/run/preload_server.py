"""Run jobs in forks of a process that has loaded what they need.

Three processes are at work for a job: this one forks one that minds the job, and that one the job
itself. The second ends the job if who asked for it has ended, and else says how it ended.
"""

import argparse
import gc
import importlib
import os
import runpy
import select
import signal
import socket
import sys
from collections.abc import Sequence
from typing import NoReturn

from foldwise.core.preload import Command, receive, send_status
from foldwise.core.process import die_with_parent

# Elsewhere a fork that goes on with such libraries may crash; there a job loads them for itself.
LOADS = sys.platform == "linux"


def main(argv: Sequence[str] | None = None) -> None:
    """Load modules, and then fork for every job until the parent ends."""
    parser = argparse.ArgumentParser(
        prog="python -m foldwise.run.preload_server", description=__doc__
    )
    parser.add_argument("--parent", type=int, required=True, help="its process number")
    parser.add_argument("--listener", type=int, required=True, help="descriptor of a socket")
    parser.add_argument("--by", type=signal.Signals.__getitem__, required=True, help="ends a job")
    parser.add_argument("--load", nargs="*", default=[], help="modules")
    given = parser.parse_args(argv)
    die_with_parent(given.parent)
    for module in given.load if LOADS else []:
        importlib.import_module(module)
    gc.freeze()  # a look for garbage in a fork would copy every page that it marks
    with socket.socket(fileno=given.listener) as listener:
        _serve(listener, given.by)


def _serve(listener: socket.socket, by: signal.Signals) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who mind jobs
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            _mind(connection, by)
        connection.close()


def _mind(connection: socket.socket, by: signal.Signals) -> NoReturn:
    """Run what the connection asks for, and end it as soon as nobody waits for it any more."""
    try:
        job, streams = receive(connection)
    except (EOFError, ConnectionError):
        os._exit(1)
    minder = os.getpid()
    alive, writer = os.pipe()  # closed when the job ends, as nobody else has the writer
    os.set_inheritable(writer, not LOADS)
    process = os.fork()
    if process == 0:
        connection.close()
        os.close(alive)
        die_with_parent(minder, by)
        _run(job, streams)
    for descriptor in (writer, *streams):
        os.close(descriptor)
    ready, _, _ = select.select([alive, connection.fileno()], [], [])
    if alive not in ready:
        os.kill(process, by)
    _, status = os.waitpid(process, 0)
    try:
        send_status(connection, os.waitstatus_to_exitcode(status))
    finally:  # if nobody listens any more, nobody minds
        os._exit(0)


def _run(job: Command, streams: Sequence[int]) -> NoReturn:
    """Become what `python -m` would have started, in a session of its own."""
    os.setsid()
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(job.folder)
    os.environ.clear()
    os.environ.update(job.environment)
    if not LOADS:
        os.execv(sys.executable, [sys.executable, "-m", job.module, *job.words])
    sys.argv = [job.module, *job.words]
    runpy.run_module(job.module, run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    main()
