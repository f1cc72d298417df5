"""Parallel trainings on the workers of a Ray cluster."""

import hashlib
import json
import logging
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from foldwise.core.errors import InputError
from foldwise.engine.hardware import choose_hardware
from foldwise.files.params import HardwareSection
from foldwise.run import shipped
from foldwise.run.dvc import UPSTREAM, Pipeline, choose_remote, fetch_results
from foldwise.run.progress import ParallelProgress, failure_reason, log_path
from foldwise.run.ray_worker import choose_gpus, required_environment, take_snapshot

Task = ray.ObjectRef[tuple[int, str]]
MAX_RETRIES = 3  # of a fold whose worker is lost; a fold that fails would fail again
POLL_SECONDS = 0.5
CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class RayTarget:
    """A cluster and what its workers must have.

    Attributes:
        address: HOST:PORT of the cluster; "auto": the cluster to which this machine belongs.
        remote: Name of the DVC remote for data and results.
        threads: Number of CPUs that a fold needs.
        gpus: Share of a GPU that a fold needs, from 0 to 1.
        expected: Versions and precision of each worker, because they change the result.
    """

    address: str
    remote: str
    threads: int
    gpus: float
    expected: Mapping[str, str]


def choose_target(
    address: str, remote: str | None, gpus: float | None, section: HardwareSection
) -> RayTarget:
    """Return the target, checked as far as that needs no cluster.

    Args:
        address: Address of the cluster.
        remote: Name of a DVC remote; None: the default remote.
        gpus: Share of a GPU for a fold; None: as params.yaml and this machine say.
        section: The hardware section of params.yaml.

    Raises:
        InputError: If there is no suitable remote, or if folds would train on another device than
            params.yaml says.
    """
    hardware = choose_hardware(section)
    device = hardware.device.type
    gpus = choose_gpus(section, device, gpus)
    expected = required_environment(section, device, hardware.precision, gpus)
    return RayTarget(address, choose_remote(remote), section.threads, gpus, expected)


def run_on_cluster(stages: Sequence[str], target: RayTarget, pipeline: Pipeline) -> dict[str, str]:
    """Run stages on a cluster, except those whose results are in the DVC remote already.

    Cache, run-cache and dvc.lock then are as if the stages had run on this machine.

    Args:
        stages: At least one train stage; their dependencies are up to date.
        target: The cluster.
        pipeline: DVC on this machine.

    Returns:
        Error of each stage that failed.

    Raises:
        InputError: If there is no such cluster, or if data cannot reach it.
    """
    available = fetch_results(stages, target.remote)
    missing = [stage for stage in stages if stage not in available]
    failures: dict[str, str] = {}
    if missing:
        group = missing[0].partition("@")[0]
        pipeline.run("push", "--remote", target.remote, *UPSTREAM[group])
        with ParallelProgress(missing) as progress:
            run_on_ray(missing, target, take_snapshot(Path.cwd()), progress)
        arrived = fetch_results(missing, target.remote)
        # `dvc repro` below would train these stages again, on this machine and without a reason.
        lost = f"no result arrived through the DVC remote {target.remote!r}; run this again"
        failures = {stage: lost for stage in missing if stage not in arrived} | progress.failures
    results = [stage for stage in stages if stage not in failures]
    if results:
        pipeline.run("repro", "--single-item", *results)
    return failures


def run_on_ray(
    stages: Sequence[str], target: RayTarget, snapshot: bytes, progress: ParallelProgress
) -> None:
    """Run stages, as many at a time as fit; a failure stops no other stage.

    The results go to the DVC remote. A fold whose worker is lost runs again on another worker. If
    this process is interrupted or killed, running stages end, and results already sent are kept.

    Args:
        stages: Train stages whose inputs are in the DVC remote.
        target: The cluster.
        snapshot: Files of this workspace, from `take_snapshot`.
        progress: Receives all events, failures included.

    Raises:
        InputError: If there is no such cluster, or if none of its nodes has room for a fold.
    """
    with connect(target.address):
        require_room(ray.nodes(), target.threads, target.gpus)  # type: ignore[no-untyped-call]
        ray.cloudpickle.register_pickle_by_value(shipped)  # type: ignore[no-untyped-call]
        queue = _start_queue()
        running = _submit(stages, target, snapshot, queue)
        while running:
            done, _ = ray.wait(list(running), timeout=POLL_SECONDS)
            for stage, line in ray.get(queue.drain.remote()):
                if stage not in running.values():
                    continue
                if line is None:
                    progress.started(stage)
                else:
                    progress.printed(stage, line)
            for task in done:
                stage = running.pop(task)
                progress.ended(stage, _task_error(stage, task))


@contextmanager
def connect(address: str) -> Iterator[None]:
    """Belong to a cluster while the context is open.

    Raises:
        InputError: If no cluster is at the address, or if its Python or Ray has another version.
    """
    if address != "auto":
        _require_listener(address)
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"--address {address}: {reason}") from None
    try:
        yield
    finally:
        ray.shutdown()


def _require_listener(address: str) -> None:
    """Check that a server listens at the address, because Ray would try for minutes.

    Raises:
        InputError: If there is none.
    """
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    except (OSError, ValueError, OverflowError) as error:
        raise InputError(
            f"--address {address}: {error}; expected auto, or HOST:PORT from 'ray start --head'"
        ) from None


def require_room(nodes: Sequence[Mapping[str, Any]], threads: int, gpus: float) -> None:
    """Check that a node has room for a fold, because Ray would wait forever.

    Args:
        nodes: Output of `ray.nodes`.
        threads: Number of CPUs that a fold needs.
        gpus: Share of a GPU that a fold needs.

    Raises:
        InputError: If none has.
    """
    demand = {"CPU": float(threads), "GPU": gpus}
    alive = [node["Resources"] for node in nodes if node["Alive"]]
    if not any(all(node.get(kind, 0) >= n for kind, n in demand.items()) for node in alive):
        offers = ", ".join(f"{node.get('CPU', 0):g} and {node.get('GPU', 0):g}" for node in alive)
        raise InputError(
            f"a fold needs {threads} CPUs (hardware.threads) and {gpus:g} GPUs (--gpus) on one "
            f"node; the nodes have {offers}: start a larger one, or lower these"
        )


def _start_queue() -> Any:  # noqa: ANN401
    """Start the message queue on this machine, so that a lost worker does not take it along."""
    node = ray.get_runtime_context().get_node_id()
    here = NodeAffinitySchedulingStrategy(node, soft=False)
    return ray.remote(num_cpus=0)(shipped.MessageQueue).options(scheduling_strategy=here).remote()


def _submit(
    stages: Sequence[str],
    target: RayTarget,
    snapshot: bytes,
    queue: Any,  # noqa: ANN401
) -> dict[Task, str]:
    """Submit every stage to Ray, which runs as many at a time as fit."""
    run = ray.remote(shipped.run_task).options(
        num_cpus=target.threads,
        num_gpus=target.gpus,
        max_retries=MAX_RETRIES,
        retry_exceptions=False,
    )
    content, sha256 = ray.put(snapshot), hashlib.sha256(snapshot).hexdigest()
    expected = json.dumps(target.expected)
    tasks = {}
    for stage in stages:
        spec = shipped.TaskSpec(stage, sha256, target.remote, expected, has_gpu=target.gpus > 0)
        tasks[run.remote(spec, content, queue)] = stage
    return tasks


def _task_error(stage: str, task: Task) -> str | None:
    """Write the log of a task into a file; return why the task failed, or None."""
    try:
        status, output = ray.get(task)
    except RayTaskError as error:
        return f"on the worker: {error.cause!r}"
    except RayError as error:  # lost too often, or never started
        return " ".join(str(error).split())
    log = log_path(stage)
    log.write_text(output, encoding="utf-8")
    return failure_reason(log) if status else None
