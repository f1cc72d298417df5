"""`foldwise run` and `final`: DVC with preloaded stages and parallel trainings, safe to stop."""

import argparse
import importlib.util
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from foldwise.core.errors import InputError
from foldwise.run.dvc import FIRST, TRAIN, TUNE, UPSTREAM, Pipeline, open_pipeline

RACE = Path("data/race")
Train = Callable[[Sequence[str]], dict[str, str]]  # runs stages; returns the errors of failed ones


def run_pipeline(args: argparse.Namespace) -> None:
    """Bring everything up to date; with --list, only list the stale trainings.

    This is no stage of dvc.yaml, because it runs DVC, once for each of several parallel trainings.

    Args:
        args: Options of the command.

    Raises:
        InputError: If params.yaml is wrong, a stage fails, or the options do not fit this machine.
    """
    with open_pipeline(args.params) as pipeline:  # at once, because its imports take longest
        from foldwise.files.project import check_project
        from foldwise.run.repair import repair_dvc_files

        backend = None if args.list else _choose_backend(args, pipeline)
        for line in repair_dvc_files():
            print(f"run: {line}", flush=True)
        check_project(args.params, args.pipeline, args.pipeline.parent, args.output)
        if args.list:
            _list_trainings(args, pipeline)
        elif backend is not None:
            _run_trainings(args, pipeline, *backend)
        else:
            pipeline.run("repro", *args.targets)


def _choose_backend(args: argparse.Namespace, pipeline: Pipeline) -> tuple[Train, str] | None:
    """Return what runs several trainings at a time, and a text that says where; None: one."""
    from foldwise.files.params import read_params

    hardware = read_params(args.params, "hardware").hardware
    if args.address is None:
        from foldwise.run import local_backend

        slots = local_backend.find_slots(args.jobs, hardware)
        train: Train = partial(local_backend.run_local, slots=slots, pipeline=pipeline)
        return (train, f"{len(slots)} at a time") if len(slots) > 1 else None
    if importlib.util.find_spec("ray") is None:
        remedy = "pip install -c constraints.txt -e '.[cluster]'"
        raise InputError(f"--address needs Ray, which is missing: {remedy}")
    from foldwise.run import ray_backend

    target = ray_backend.choose_target(args.address, args.remote, args.gpus, hardware)
    train = partial(ray_backend.run_on_cluster, target=target, pipeline=pipeline)
    return train, f"on {args.address}"


def _list_trainings(args: argparse.Namespace, pipeline: Pipeline) -> None:
    from foldwise.core.atomic import write_text

    group, stages = TRAIN, list[str]()
    for group in _groups(args):
        if stages := _stale(pipeline, group):
            break
    write_text(args.list, "".join(f"{stage}\n" for stage in stages))
    print(f"run: {_count(stages)} -> {args.list}")
    if stages and group != TRAIN:
        print(f"run: these are the stages of {group}; run them, then list the others")


def _run_trainings(args: argparse.Namespace, pipeline: Pipeline, train: Train, where: str) -> None:
    """Run the stages before the trainings, the trainings, and the stages after them."""
    for group in _groups(args):
        if stages := _stale(pipeline, group):
            print(f"run: {_count(stages)}, {where}", flush=True)
            if failures := train(stages):
                raise InputError("\n".join(f"{stage}: {why}" for stage, why in failures.items()))
    pipeline.run("repro", *args.targets)


def _stale(pipeline: Pipeline, group: str) -> list[str]:
    """Bring all before a group of stages up to date, and return those of it that must train.

    Folds that a race has settled need no process of their own: DVC runs them here, one by one.
    """
    from foldwise.files.race import is_settled

    pipeline.run("repro", *UPSTREAM[group])
    stages = pipeline.stale(group)
    settled = [stage for stage in stages if group == TRAIN and is_settled(RACE, stage)]
    if settled:
        pipeline.run("repro", "--single-item", *settled)
    return [stage for stage in stages if stage not in settled]


def _groups(args: argparse.Namespace) -> list[str]:
    """Return which stages train side by side, in their order."""
    from foldwise.files.params import read_params

    params = read_params(args.params, "train", "compare")
    needed = {TUNE: params.train.learning_rate == "auto", FIRST: params.compare.race, TRAIN: True}
    return [group for group, is_needed in needed.items() if is_needed]


def _count(stages: Sequence[str]) -> str:
    return f"{len(stages) or 'no'} stale training{'' if len(stages) == 1 else 's'}"
