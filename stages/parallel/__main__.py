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
from stages.parallel.here import run_here
from stages.parallel.machine import count_cores, find_gpus
from stages.parallel.params import ParallelParams
from stages.parallel.pipeline import UPSTREAM, repro, status
from stages.parallel.slots import Slot, allot
from stages.parallel.stale import counted, stale_trainings


def main(argv: Sequence[str] | None = None) -> None:
    """Bring all up to date; with --list, all before the trainings, and list what is stale."""
    parser = argparse.ArgumentParser(prog="python -m stages.parallel", description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--jobs", type=int, help="trainings at a time; by default what fits")
    parser.add_argument("--list", type=Path, help="write the stale trainings there, and run none")
    given = parser.parse_args(argv)
    hardware = read_params(given.params, ParallelParams).hardware
    slots = allot(given.jobs, hardware.threads, count_cores(), find_gpus(hardware.device))
    repro(*UPSTREAM)
    stages = stale_trainings(status())
    if given.list:
        write_text(given.list, "".join(f"{stage}\n" for stage in stages))
        print(f"parallel: {counted(stages)} -> {given.list}")
        return
    if stages:
        print(f"parallel: {counted(stages)}, {len(slots)} at a time", flush=True)
        _train(stages, slots)
    repro()


def _train(stages: Sequence[str], slots: Sequence[Slot]) -> None:
    with Board(stages) as board:
        run_here(stages, slots, board)
    if board.failures:
        raise InputError("\n".join(f"{stage}: {why}" for stage, why in board.failures.items()))


if __name__ == "__main__":
    try:
        run(main)
    except KeyboardInterrupt:
        sys.exit("parallel: interrupted; run it again to go on with what is left")
