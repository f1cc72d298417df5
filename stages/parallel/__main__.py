"""Reproduce the pipeline with several trainings at a time.

A command and no stage of dvc.yaml: it runs DVC, once for each training that is stale.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from stages.contracts.command import InputError, run
from stages.contracts.json_file import write_text
from stages.contracts.params_file import read_params
from stages.parallel.board import Board
from stages.parallel.cluster.run import run_on_cluster
from stages.parallel.cluster.target import aim
from stages.parallel.here.machine import count_cores, find_gpus
from stages.parallel.here.run import run_here
from stages.parallel.here.slots import Slot, allot
from stages.parallel.params import ParallelParams
from stages.parallel.pipeline import UPSTREAM, Pipeline, open_pipeline
from stages.parallel.stale import counted, stale_trainings


def main(argv: Sequence[str] | None = None) -> None:
    """Bring all up to date; with --list, all before the trainings, and list what is stale."""
    given = _options(argv)
    hardware = read_params(given.params, ParallelParams).hardware
    if given.address:
        target = aim(given.address, given.remote, given.gpus, hardware)
    else:
        slots = allot(given.jobs, hardware.threads, count_cores(), find_gpus(hardware.device))
    with open_pipeline() as pipeline:
        pipeline.repro(*UPSTREAM)
        stages = stale_trainings(pipeline.status())
        if given.list:
            write_text(given.list, "".join(f"{stage}\n" for stage in stages))
            print(f"parallel: {counted(stages)} -> {given.list}")
            return
        if stages:
            where = f"on {given.address}" if given.address else f"{len(slots)} at a time"
            print(f"parallel: {counted(stages)}, {where}", flush=True)
            if given.address:
                failures = run_on_cluster(stages, target, pipeline)
            else:
                failures = _run_here(stages, slots, pipeline)
            if failures:
                raise InputError("\n".join(f"{stage}: {why}" for stage, why in failures.items()))
        pipeline.repro()


def _run_here(stages: Sequence[str], slots: Sequence[Slot], pipeline: Pipeline) -> dict[str, str]:
    with Board(stages) as board:
        run_here(stages, slots, pipeline, board)
    return board.failures


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m stages.parallel", description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
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


if __name__ == "__main__":
    try:
        run(main)
    except KeyboardInterrupt:
        sys.exit("parallel: interrupted; run it again to go on with what is left")
