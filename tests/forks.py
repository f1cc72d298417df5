"""Python in forks of a process that has imported slow packages, so that it starts at once.

A fork has none of our own modules: it imports them from its working directory.
"""

import json
import os
import runpy
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from foldwise.core.preload import PRELOAD_SERVERS, Command, delegate, wait

ROOT = Path(__file__).parents[1]
OURS = ("foldwise", "stages")
SHIM = """#!{python} -IS
import sys
sys.path[:0] = [{root!r}, {tests!r}]
import forks
forks.run_shim({words!r}, {python!r}, {address!r})
"""


@dataclass
class Forks:
    """A process that has imported packages; see `fork_server`."""

    address: str

    def run(self, *words, check=True, folder=ROOT):
        """Run `python -m MODULE ARGS` or `python -c CODE ARGS` in a folder; return the process."""
        # Imported here, like in fork_server: the commands of make_shims must start fast.
        from tempfile import TemporaryFile

        from foldwise.run.preload_server import start_command

        command = Command("forks", words, str(folder), dict(os.environ))
        with TemporaryFile("w+") as output, TemporaryFile("w+") as errors:
            streams = (0, output.fileno(), errors.fileno())
            with start_command(self.address, command, streams) as ended:
                status = wait(ended)
            output.seek(0)
            errors.seek(0)
            done = subprocess.CompletedProcess(words, status, output.read(), errors.read())
        if check:
            assert status == 0, done.stderr[-3000:]
        return done

    def make_shims(self, folder):
        """Write commands `dvc` and `python`, and return the environment variables to use them.

        Our stages, and DVC as `foldwise run` starts it, run in forks, all else as usual.
        """
        folder.mkdir()
        for name, words in (("dvc", ["-m", "foldwise.run.dvc_process"]), ("python", [])):
            fields = {"python": sys.executable, "root": str(ROOT), "tests": str(ROOT / "tests")}
            fields["address"] = self.address
            (folder / name).write_text(SHIM.format(words=words, **fields))
            (folder / name).chmod(0o755)
        path = f"{folder}:{Path(sys.executable).parent}:/usr/bin:/bin"
        return {"PATH": path}


@contextmanager
def fork_server(packages):
    """Yield a process that has imported packages."""
    import pytest

    from foldwise.run.preload_server import preload_server

    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(Path(__file__).parent))  # the server runs this module
            address = stack.enter_context(preload_server(packages, signal.SIGTERM))
        yield Forks(address)


def run_shim(words, python, address):
    """Run Python with words and the arguments of this process."""
    words += sys.argv[1:]
    if words[:1] == ["-m"] and words[1].startswith(("foldwise.run.dvc_process", "stages.")):
        sys.argv = ["forks", *words]
        os.environ[PRELOAD_SERVERS] = json.dumps(
            {"forks": address}
        )  # delegate hands on an environment without it
        delegate("forks")
    os.execv(python, [python, *words])


def main():
    """Run the command of a fork, which is like that of Python."""
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]
    sys.path[:] = [str(Path.cwd()), *(path for path in sys.path if path != str(ROOT))]
    _, option, module, *args = sys.argv
    sys.argv = [option, *args]
    if option == "-c":
        exec(module, {"__name__": "__main__"})
    else:
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
