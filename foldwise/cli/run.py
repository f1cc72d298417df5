"""foldwise run: bring the pipeline up to date with several trainings at a time.

No stage of dvc.yaml: it runs DVC, once for each training that is stale.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from foldwise.core.atomic import write_text
from foldwise.core.errors import InputError
from foldwise.files.params import ParallelParams, read_params
from foldwise.run.dvc import UPSTREAM, Pipeline, open_pipeline
from foldwise.run.local import run_local
from foldwise.run.progress import ParallelProgress, count_line, stale_trainings
from foldwise.run.requirements import choose_target
from foldwise.run.slots import Slot, allot, count_cores, find_gpus


def main(argv: Sequence[str]) -> None:
    """Bring all up to date; with --list, all before the trainings, and list what is stale."""
    given = _options(argv)
    hardware = read_params(given.params, ParallelParams).hardware
    if given.address:
        target = choose_target(given.address, given.remote, given.gpus, hardware)
    else:
        slots = allot(given.jobs, hardware.threads, count_cores(), find_gpus(hardware.device))
    with open_pipeline() as pipeline:
        pipeline.repro(*UPSTREAM)
        stages = stale_trainings(pipeline.status())
        if given.list:
            write_text(given.list, "".join(f"{stage}\n" for stage in stages))
            print(f"run: {count_line(stages)} -> {given.list}")
            return
        if stages:
            where = f"on {given.address}" if given.address else f"{len(slots)} at a time"
            print(f"run: {count_line(stages)}, {where}", flush=True)
            if given.address:
                from foldwise.run.ray import run_on_cluster  # imports Ray, which takes a second

                failures = run_on_cluster(stages, target, pipeline)
            else:
                failures = _run_here(stages, slots, pipeline)
            if failures:
                raise InputError("\n".join(f"{stage}: {why}" for stage, why in failures.items()))
        pipeline.repro()


def _run_here(stages: Sequence[str], slots: Sequence[Slot], pipeline: Pipeline) -> dict[str, str]:
    with ParallelProgress(stages) as board:
        run_local(stages, slots, pipeline, board)
    return board.failures


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="foldwise run", description=__doc__)
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=int, help="trainings at a time; by default what fits")
    where.add_argument("--list", type=Path, help="write the stale trainings there, and run none")
    where.add_argument(
        "--address", help="train on a Ray cluster: HOST:PORT, or auto, if one is here"
    )
    parser.add_argument("--remote", help="DVC remote between here and the cluster")
    parser.add_argument("--gpus", type=float, help="share of a GPU that a training there takes")
    given = parser.parse_args(argv)
    if given.address is None and (given.remote, given.gpus) != (None, None):
        parser.error("--remote and --gpus say how a cluster is used; add --address")
    return given
