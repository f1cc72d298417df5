"""The trainings on a cluster, from the data that goes there to the results that come back."""

from collections.abc import Sequence
from pathlib import Path

from stages.parallel.board import Board
from stages.parallel.cluster.snapshot import take_snapshot
from stages.parallel.cluster.storage import fetch_results
from stages.parallel.cluster.target import Target
from stages.parallel.pipeline import UPSTREAM, Pipeline


def run_on_cluster(stages: Sequence[str], target: Target, pipeline: Pipeline) -> dict[str, str]:
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


def _run(stages: Sequence[str], target: Target, pipeline: Pipeline) -> dict[str, str]:
    """Return error by stage; the results of all others are in the cache."""
    from stages.parallel.cluster.there import run_there  # imports Ray, which takes a second

    pipeline.push(target.remote, *UPSTREAM)
    with Board(stages) as board:
        run_there(stages, target, take_snapshot(Path.cwd()), board)
    arrived = fetch_results(stages, target.remote)
    # Run here, these would train once more, and nobody would know why.
    lost = f"its result did not come back by the DVC remote {target.remote!r}; run this again"
    return {stage: lost for stage in stages if stage not in arrived} | board.failures
