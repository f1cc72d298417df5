"""Run one stage of train in a workspace of its own on a worker, and send the result.

The task of Ray in `sent/task.py` starts it; it never runs in the workspace of a user.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

from dvc.cli import main as dvc

from stages.contracts.command import InputError, run
from stages.contracts.params_file import read_params
from stages.contracts.process import die_with_parent
from stages.parallel.cluster.expected import compare
from stages.parallel.cluster.storage import fetch_inputs, send_results
from stages.parallel.cluster.worker.found import look
from stages.train.params import TrainParams


def main(argv: Sequence[str] | None = None) -> None:
    """Fetch what the stage needs, reproduce it, send the result; print the seconds of each."""
    parser = argparse.ArgumentParser(
        prog="python -m stages.parallel.cluster.worker", description=__doc__
    )
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--expected", type=json.loads, required=True, help="versions, precision")
    parser.add_argument("--parent", type=int, required=True, help="process number of the task")
    given = parser.parse_args(argv)
    die_with_parent(given.parent)
    params = read_params(given.params, TrainParams)
    clock = [time.monotonic()]
    compare(given.expected, look(params.hardware))
    clock.append(time.monotonic())
    fetch_inputs(given.stage)
    clock.append(time.monotonic())
    if dvc(["repro", "--single-item", given.stage]) != 0:
        raise InputError(f"{given.stage} failed; its own error is above")
    clock.append(time.monotonic())
    send_results()
    clock.append(time.monotonic())
    steps = zip(("checked", "fetched", "reproduced", "sent"), clock, clock[1:], strict=False)
    print("worker:", ", ".join(f"{step} in {end - start:.1f} s" for step, start, end in steps))


if __name__ == "__main__":
    run(main)
