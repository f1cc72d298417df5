"""foldwise run: bring the pipeline up to date with parallel trainings.

This is no stage of dvc.yaml, because it runs DVC, once for each stale training.
"""

import importlib.util
from argparse import Namespace
from collections.abc import Sequence

from foldwise.core.atomic import write_text
from foldwise.core.errors import InputError
from foldwise.files.params import read_params
from foldwise.run.dvc import UPSTREAM, Pipeline, open_pipeline
from foldwise.run.local_backend import Slot, allocate_slots, count_cores, find_gpus, run_local
from foldwise.run.progress import ParallelProgress


def run_pipeline(args: Namespace) -> None:
    """Bring everything up to date; with --list, only list the stale trainings.

    Args:
        args: Options of `foldwise run`.

    Raises:
        InputError: If a stage fails, or if the options do not fit params.yaml or this machine.
    """
    hardware = read_params(args.params, "hardware").hardware
    if args.address:
        if importlib.util.find_spec("ray") is None:
            raise InputError("--address needs Ray, which is missing: pip install -e '.[cluster]'")
        from foldwise.run import ray_backend

        target = ray_backend.choose_target(args.address, args.remote, args.gpus, hardware)
    else:
        gpus = find_gpus(hardware.device)
        slots = allocate_slots(args.jobs, hardware.threads, count_cores(), gpus)
    with open_pipeline() as pipeline:
        pipeline.repro(*UPSTREAM)
        stages = pipeline.stale_trainings()
        n_stale = f"{len(stages) or 'no'} stale training{'' if len(stages) == 1 else 's'}"
        if args.list:
            write_text(args.list, "".join(f"{stage}\n" for stage in stages))
            print(f"run: {n_stale} -> {args.list}")
            return
        if stages:
            where = f"on {args.address}" if args.address else f"{len(slots)} at a time"
            print(f"run: {n_stale}, {where}", flush=True)
            if args.address:
                failures = ray_backend.run_on_cluster(stages, target, pipeline)
            else:
                failures = _run_locally(stages, slots, pipeline)
            if failures:
                raise InputError("\n".join(f"{stage}: {why}" for stage, why in failures.items()))
        pipeline.repro()


def _run_locally(
    stages: Sequence[str], slots: Sequence[Slot], pipeline: Pipeline
) -> dict[str, str]:
    with ParallelProgress(stages) as progress:
        run_local(stages, slots, pipeline, progress)
    return progress.failures
