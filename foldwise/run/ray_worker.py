"""Run one stage of train in a workspace of its own on a worker, and send the result.

The task of Ray in `sent/task.py` starts it; it never runs in the workspace of a user.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

from dvc.cli import main as dvc

from foldwise.core.errors import InputError, run_main
from foldwise.core.process import die_with_parent
from foldwise.files.params import TrainParams, read_params
from foldwise.run.remote import fetch_inputs, send_results
from foldwise.run.requirements import require_same_environment, worker_info


def main(argv: Sequence[str] | None = None) -> None:
    """Fetch what the stage needs, reproduce it, send the result; print the seconds of each."""
    parser = argparse.ArgumentParser(prog="python -m foldwise.run.ray_worker", description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--expected", type=json.loads, required=True, help="versions, precision")
    parser.add_argument("--parent", type=int, required=True, help="process number of the task")
    given = parser.parse_args(argv)
    die_with_parent(given.parent)
    params = read_params(given.params, TrainParams)
    clock = [time.monotonic()]
    require_same_environment(given.expected, worker_info(params.hardware))
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
    run_main(main)
