"""Run stages on the workers of a Ray cluster."""

import json
import logging
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from foldwise.core.errors import InputError
from foldwise.run import shipped
from foldwise.run.dvc import UPSTREAM, Pipeline
from foldwise.run.progress import ParallelProgress, failure_reason, log_path
from foldwise.run.remote import Snapshot, fetch_results, take_snapshot
from foldwise.run.requirements import RayTarget, WorkerResources
from foldwise.run.shipped.task import Desk, Order, carry_out

Task = ray.ObjectRef[tuple[int, str]]
RETRIES = 3  # of a fold whose worker is lost; one that fails would fail again
POLL_SECONDS = 0.5
CONNECT_SECONDS = 10.0


def run_on_ray(
    stages: Sequence[str], target: RayTarget, snapshot: Snapshot, board: ParallelProgress
) -> None:
    """Run every stage, as many at a time as fit; one that fails stops no other.

    Their results are in the DVC remote then. A fold whose worker is lost runs again on another one.
    Interrupted or killed, what runs on the workers ends, and what they have sent is not lost.

    Args:
        stages: Of train, what they need being in the DVC remote.
        target: Where they run.
        snapshot: Of this workspace.
        board: Is told how it goes, failures included.

    Raises:
        InputError: If there is no such cluster, or none of its nodes can take a fold.
    """
    with connected(target.address):
        require_room(ray.nodes(), target.needs)  # type: ignore[no-untyped-call]
        desk = _open_desk()
        running = _send(stages, target, snapshot, desk)
        while running:
            done, _ = ray.wait(list(running), timeout=POLL_SECONDS)
            notes = ray.get(desk.take.remote())
            _show([note for note in notes if note[0] in running.values()], board)
            for task in done:
                stage = running.pop(task)
                board.ended(stage, _error(stage, task))


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Belong to a cluster meanwhile.

    Raises:
        InputError: If there is none at the address, or it runs other versions of Python or Ray.
    """
    if "://" in address:
        raise InputError(
            f"--address is {address!r}; expected HOST:PORT or auto, on a machine of the cluster"
        )
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
    """Return if somebody listens at the address; Ray would try for minutes.

    Raises:
        InputError: If nobody does.
    """
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    except (OSError, ValueError, OverflowError) as error:
        raise InputError(
            f"--address {address}: {error}; expected HOST:PORT as 'ray start --head' prints it"
        ) from None


def require_room(nodes: Sequence[Mapping[str, Any]], needs: WorkerResources) -> None:
    """Return if a node can take a fold; Ray would wait for one for ever.

    Args:
        nodes: As `ray.nodes` returns them.
        needs: Of a fold.

    Raises:
        InputError: If none can.
    """
    wanted = {"CPU": float(needs.threads), "GPU": needs.gpus}
    alive = [node["Resources"] for node in nodes if node["Alive"]]
    if not any(all(has.get(kind, 0) >= n for kind, n in wanted.items()) for has in alive):
        have = ", ".join(f"{has.get('CPU', 0):g} and {has.get('GPU', 0):g}" for has in alive)
        raise InputError(
            f"a fold takes {needs.threads} CPUs (hardware.threads) and {needs.gpus:g} GPUs "
            f"(--gpus) of one node; the nodes have {have}: start a larger one, or ask for less"
        )


def _open_desk() -> Any:  # noqa: ANN401
    """Start the actor on this machine: lost with the driver, and not with a worker."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(num_cpus=0)(Desk).options(scheduling_strategy=here).remote()


def _send(
    stages: Sequence[str],
    target: RayTarget,
    snapshot: Snapshot,
    desk: Any,  # noqa: ANN401
) -> dict[Task, str]:
    """Give every stage to Ray, which runs as many at a time as fit."""
    ray.cloudpickle.register_pickle_by_value(shipped)  # type: ignore[no-untyped-call]
    run = ray.remote(carry_out).options(
        num_cpus=target.needs.threads,
        num_gpus=target.needs.gpus,
        max_retries=RETRIES,
        retry_exceptions=False,
    )
    packed, expected = ray.put(snapshot.content), json.dumps(target.expected)
    has_gpu = target.needs.gpus > 0
    orders = [Order(stage, snapshot.sha256, target.remote, expected, has_gpu) for stage in stages]
    return {run.remote(order, packed, desk): order.stage for order in orders}


def _show(notes: Sequence[tuple[str, str | None]], board: ParallelProgress) -> None:
    for stage, line in notes:
        if line is None:
            board.started(stage)
        else:
            board.said(stage, line)


def _error(stage: str, task: Task) -> str | None:
    """Return why a task failed, if it did; what it printed goes into a file."""
    try:
        status, printed = ray.get(task)
    except RayTaskError as error:
        return f"on the worker: {error.cause!r}"
    except RayError as error:  # lost once too often, or never started
        return " ".join(str(error).split())
    log = log_path(stage)
    log.write_text(printed, encoding="utf-8")
    return failure_reason(log) if status else None


def run_on_cluster(stages: Sequence[str], target: RayTarget, pipeline: Pipeline) -> dict[str, str]:
    """Run every stage on a cluster, but those whose result is in the DVC remote already.

    Cache, run-cache and dvc.lock are then as if they had run here.

    Args:
        stages: Of train, at least one, all others before them being up to date.
        target: Where they run.
        pipeline: That they are of.

    Returns:
        Error by stage, of those that failed.

    Raises:
        InputError: If there is no such cluster, or data cannot go there.
    """
    known = fetch_results(stages, target.remote)
    missing = [stage for stage in stages if stage not in known]
    failures = _run(missing, target, pipeline) if missing else {}
    results = [stage for stage in stages if stage not in failures]
    if results:
        pipeline.repro("--single-item", *results)
    return failures


def _run(stages: Sequence[str], target: RayTarget, pipeline: Pipeline) -> dict[str, str]:
    """Return error by stage; the results of all others are in the cache."""
    from foldwise.run.ray import run_on_ray  # imports Ray, which takes a second

    pipeline.push(target.remote, *UPSTREAM)
    with ParallelProgress(stages) as board:
        run_on_ray(stages, target, take_snapshot(Path.cwd()), board)
    arrived = fetch_results(stages, target.remote)
    # Run here, these would train once more, and nobody would know why.
    lost = f"its result did not come back by the DVC remote {target.remote!r}; run this again"
    return {stage: lost for stage in stages if stage not in arrived} | board.failures
