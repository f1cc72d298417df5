"""DVC: its process, its internals, the text that it prints and `dvc status --json`.

Tested with the version in constraints.txt; tests/run/test_dvc.py names what a newer one breaks.
"""

import json
import os
import signal
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from foldwise.core.errors import InputError
from foldwise.core.preload import PRELOAD_SERVERS, Command, wait, wake
from foldwise.run.preload_server import preload_server, start_command

if TYPE_CHECKING:
    from dvc.repo import Repo

# Stages whose instances train side by side, and the stages before them; check is upstream of all.
TUNE, FIRST, TRAIN = "tune", "first", "train"
BEFORE_TUNE = ("prepare", "split", "augment", "build", "extract", "forecast")
UPSTREAM = {
    TUNE: BEFORE_TUNE,
    FIRST: (*BEFORE_TUNE, TUNE),
    TRAIN: (*BEFORE_TUNE, TUNE, FIRST, "race"),
}
PRELOADED = ("dvc.cli.parser", "dvc.repo.reproduce", "dvc.data_cloud", "dvc.lock", "scmrepo.git")
STAGES = ("check", "prepare", "split", "race", "inspect", "compare", "mistakes", "report")
TORCH_STAGES = ("augment", "build", "extract", "forecast", "tune", "first", "train")
# Imported inside functions, by stages that may not need torch
LATE = ("foldwise.engine.tuning", "foldwise.nets.weights.tensors", "foldwise.run.progress")
# Imported by a pass on torch's meta device, as in the stage build: seconds.
META_DEVICE = ("torch._dynamo", "torch.fx.experimental.symbolic_shapes")
STDIN, STDOUT, STDERR = range(3)


@dataclass(frozen=True)
class Pipeline:
    """DVC in the current folder; see `open_pipeline`.

    Attributes:
        address: Socket of the preload server that runs DVC.
        variables: Environment variables of DVC, with the preload servers of the stages.
        watched: Files that must stay as they are, with their content.
    """

    address: str
    variables: Mapping[str, str]
    watched: Mapping[Path, bytes]

    def run(self, *args: str, stdout: int = STDOUT) -> None:
        """Run `dvc ARGS` to its end; it prints to the terminal.

        Args:
            args: Command line of DVC.
            stdout: Descriptor of its standard output.

        Raises:
            InputError: If DVC fails. It has then printed the reason.
        """
        with self.start(args, stdout, STDERR, {}) as connection:
            try:
                status = wait(connection)
            except BaseException:
                connection.shutdown(socket.SHUT_WR)
                wait(connection)
                raise
        if status != 0:
            raise InputError(
                f"'dvc {' '.join(args)}' ended with status {status}; fix the error above and run "
                "the same command again: finished stages are kept"
            )

    def stale(self, group: str) -> list[str]:
        """Return the stages of a matrix that are not up to date, in the order of dvc.yaml.

        Stages whose result is only missing here, or in the run-cache, are among them: DVC restores
        these without training.

        Args:
            group: Name of the stage with the matrix.

        Raises:
            InputError: If DVC fails. It has then printed the reason.
        """
        with TemporaryFile() as output:
            self.run("status", "--json", group, stdout=output.fileno())
            output.seek(0)
            return parse_stale(output.read().decode(), group)

    def start(
        self, args: tuple[str, ...], stdout: int, stderr: int, environment: Mapping[str, str]
    ) -> socket.socket:
        """Start DVC and return the connection, which receives its exit status.

        Shutting down the connection ends DVC and all that it runs; DVC first finishes its writing.

        Args:
            args: Command line of DVC.
            stdout: Descriptor of its standard output.
            stderr: Descriptor of its standard error.
            environment: Variables in addition to those of this process.

        Raises:
            InputError: If a watched file has changed: `dvc exp run` changes params.yaml before it
                finds that DVC is busy. The next stages would run with other parameters.
        """
        for path, content in self.watched.items():
            if path.read_bytes() != content:
                raise InputError(
                    f"{path} has changed since the run began; restore it, for example with "
                    "'foldwise reset' after an experiment, and run the same command again"
                )
        variables = {**os.environ, **self.variables, **environment}
        args = ("--wait-for-lock", *args)
        command = Command("foldwise.run.dvc_process", args, str(Path.cwd()), variables)
        return start_command(self.address, command, (STDIN, stdout, stderr))


@contextmanager
def open_dvc() -> Iterator[Pipeline]:
    """Yield DVC in the current folder; it is imported once for all commands."""
    with preload_server([",".join(PRELOADED)], signal.SIGTERM) as address:
        wake(address)
        yield Pipeline(address, {}, {})


@contextmanager
def open_pipeline(params: Path) -> Iterator[Pipeline]:
    """Yield DVC in the current folder; it and the modules of the stages are imported only once.

    Args:
        params: params.yaml, which must stay as it is meanwhile.
    """
    with ExitStack() as stack:
        servers: dict[str, str] = {}
        # Two servers, because the first stages need not wait for torch.
        for names, more in ((STAGES, ()), (TORCH_STAGES, (*LATE, *META_DEVICE))):
            modules = [f"stages.{name}" for name in names]
            address = stack.enter_context(preload_server([*modules, *more], signal.SIGKILL))
            servers |= dict.fromkeys(modules, address)
        dvc = stack.enter_context(open_dvc())
        watched = {params: params.read_bytes()} if params.is_file() else {}
        yield replace(dvc, variables={PRELOAD_SERVERS: json.dumps(servers)}, watched=watched)


def parse_stale(status: str, group: str) -> list[str]:
    """Return the stages of a matrix in the output of `dvc status --json GROUP`."""
    return [stage for stage in json.loads(status) if stage.startswith(f"{group}@")]


def is_cached_line(line: str) -> bool:
    """Return whether DVC says that it takes a stage's result from the run-cache."""
    return "is cached - skipping run" in line


def split_log(log: str) -> tuple[list[str], list[str]]:
    """Return the lines of a stage and the error lines of DVC, which follow them."""
    lines = [line for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR: ")]
    own = lines[: lines.index(errors[0])] if errors else lines
    return own, [line.removeprefix("ERROR: ") for line in errors]


def reproduce(stage: str) -> None:
    """Run one stage in this process.

    Raises:
        InputError: If it fails. It has then printed the reason.
    """
    from dvc.cli import main

    if main(["repro", "--single-item", stage]) != 0:
        raise InputError(f"{stage} failed; its own error is above")


def choose_remote(name: str | None) -> str:
    """Return the name of the DVC remote that workers can reach.

    Args:
        name: The requested remote; None: the default remote.

    Raises:
        InputError: If there is none, if .dvc/config (which workers receive) lacks it, or if its
            URL is a relative path.
    """
    from dvc.config_schema import RelPath

    with _open_repo() as repo:
        chosen = name or repo.config["core"].get("remote")
        remotes = repo.config.read("repo")["remote"]
    if chosen not in remotes:
        raise InputError(
            f"the DVC remote of the workers is {chosen!r}; expected one in .dvc/config, which they "
            f"receive ({', '.join(sorted(remotes)) or 'none'}): dvc remote add -d NAME URL"
        )
    if isinstance(remotes[chosen]["url"], RelPath):
        raise InputError(
            f"the URL of the DVC remote {chosen!r} is a relative path, which workers cannot "
            f"resolve; if they see it: dvc remote modify {chosen} url {remotes[chosen]['url']}"
        )
    return str(chosen)


# A result is a run-cache entry, the predictions and the fold record. Fold records are plots that
# DVC does not cache, and `dvc push --run-cache` leaves them out (DVC 3.67). Hence DVC's objects
# instead of its command line.


def fetch_inputs(stage: str) -> None:
    """Download the missing dependencies of a stage from the default remote."""
    with _open_repo() as repo:
        (node,) = repo.stage.collect(stage)
        missing = [dep.def_path for dep in node.deps if not dep.exists]
        if missing:
            repo.pull(missing)


def send_results(stage: str) -> None:
    """Upload the result of a stage, and all others in the run-cache, to the default remote.

    DVC itself keeps no result in the run-cache if an output that is not cached is no plot, such as
    those of tune and first. The objects go first, because an entry in the remote promises that they
    are there.

    Args:
        stage: The stage that has run.

    Raises:
        InputError: If the remote rejects some of them.
    """
    with _open_repo() as repo, repo.lock:
        (node,) = repo.stage.collect(stage)
        repo.stage_cache.save(node)
        paths = repo.cache.legacy.fs.find(repo.stage_cache.cache_dir)
        entries = [tuple(path.split("/")[-2:]) for path in paths]  # key and value
        for odb, objects in repo.stage_cache.get_used_objs(entries).items():
            failed = repo.cloud.push(objects, odb=odb).failed
            if failed:
                raise InputError(f"the DVC remote rejected {len(failed)} files of the result")
        repo.stage_cache.push(None)


def fetch_results(stages: Sequence[str], remote: str) -> list[str]:
    """Download the results of stages into the cache; leave the workspace as it is.

    Returns:
        The stages whose results are in the cache now. `dvc repro` restores them without running.

    Raises:
        InputError: If the remote does not answer or cannot hold a run-cache (HTTP remotes).
    """
    with _open_repo(remote) as repo, repo.lock:
        repo.stage_cache.pull(None)
        return [stage for stage in stages if _fetch_result(repo, stage)]


def _fetch_result(repo: "Repo", stage: str) -> bool:
    (node,) = repo.stage.collect(stage)
    node.save_deps()
    entry = repo.stage_cache._load(node)
    if entry is None:
        return False
    result = repo.stage_cache._create_stage(entry, wdir=node.wdir)
    for odb, objects in result.get_used_objs().items():
        repo.cloud.pull(objects, odb=odb)
    return bool(result.outs_cached())


@contextmanager
def _open_repo(remote: str | None = None) -> Iterator["Repo"]:
    """Open the DVC repository of the current folder.

    Args:
        remote: Default remote; None: as configured.

    Raises:
        InputError: With DVC's message, if it fails.
    """
    # Here, because importing DVC takes .7 s, and every training imports this module for its log.
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(config={"core": {"remote": remote}} if remote else None) as repo:
            yield repo
    except DvcException as error:
        raise InputError(f"DVC: {' '.join(str(error).split())}") from None
