"""`foldwise run` and `final`: DVC with preloaded stages and parallel trainings, safe to stop."""

import importlib.util
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from foldwise.core.errors import InputError
from foldwise.run.dvc import FIRST, TRAIN, TUNE, UPSTREAM, Pipeline, open_pipeline

PARAMS, PIPELINE = Path("params.yaml"), Path("dvc.yaml")  # the files that DVC reads
CHECKED, RACE = Path("data/checked"), Path("data/race")
Train = Callable[[Sequence[str]], dict[str, str]]  # runs stages; returns the errors of failed ones
Backend = Callable[[Sequence[str]], tuple[Train, str]]  # what runs stages, and where


class Cluster(NamedTuple):
    """A Ray cluster: its address, the DVC remote of its data, and the share of a GPU."""

    address: str
    remote: str | None
    gpus: float | None


def run_pipeline(*targets: str, jobs: int | None = None, cluster: Cluster | None = None) -> None:
    """Bring everything up to date.

    This is no stage of dvc.yaml, because it runs DVC, once for each of several parallel trainings.

    Args:
        targets: What DVC brings up to date; without, all of dvc.yaml.
        jobs: Parallel trainings; None: as many as fit.
        cluster: Where to train; None: here.

    Raises:
        InputError: If params.yaml is wrong, a stage fails, or the options do not fit this machine.
    """
    with open_pipeline(PARAMS) as pipeline:  # at once, because its imports take longest
        backend = _choose_backend(jobs, cluster, pipeline)
        _check()
        if backend is not None:
            _run_trainings(pipeline, backend)
        pipeline.run("repro", *targets)


def list_trainings(output: Path) -> None:
    """Write the names of the stale trainings that can run now, one on each line; train none.

    Raises:
        InputError: If params.yaml is wrong, or a stage before the trainings fails.
    """
    from foldwise.core.atomic import write_text

    with open_pipeline(PARAMS) as pipeline:
        _check()
        group, stages = TRAIN, list[str]()
        for group in _groups():
            if stages := _stale(pipeline, group):
                break
    write_text(output, "".join(f"{stage}\n" for stage in stages))
    print(f"run: {_count(stages)} -> {output}")
    if stages and group != TRAIN:
        print(f"run: these are the stages of {group}; run them, then list the others")


def _check() -> None:
    from foldwise.files.project import check_project
    from foldwise.run.repair import repair_dvc_files

    for line in repair_dvc_files():
        print(f"run: {line}", flush=True)
    check_project(PARAMS, PIPELINE, Path(), CHECKED)


def _choose_backend(
    jobs: int | None, cluster: Cluster | None, pipeline: Pipeline
) -> Backend | None:
    """Return what runs several trainings at a time; None: one."""
    from foldwise.files.params import read_params

    hardware = read_params(PARAMS, "hardware").hardware
    if cluster is None:
        from foldwise.run import local_backend

        slots = local_backend.find_slots(jobs, hardware)

        def choose(stages: Sequence[str]) -> tuple[Train, str]:
            size = read_params(PARAMS, "train").train.batch_size
            fit, where = local_backend.fit_memory(stages, slots, size, requested=jobs is not None)
            return partial(local_backend.run_local, slots=fit, pipeline=pipeline), where

        return choose if len(slots) > 1 else None
    if importlib.util.find_spec("ray") is None:
        remedy = "pip install -c constraints.txt -e '.[cluster]'"
        raise InputError(f"--address needs Ray, which is missing: {remedy}")
    from foldwise.run import ray_backend

    target = ray_backend.choose_target(*cluster, hardware)
    train = partial(ray_backend.run_on_cluster, target=target, pipeline=pipeline)
    return lambda _stages: (train, f"on {cluster.address}")


def _run_trainings(pipeline: Pipeline, backend: Backend) -> None:
    """Run the stages before the trainings, and the trainings."""
    for group in _groups():
        if stages := _stale(pipeline, group):
            train, where = backend(stages)
            print(f"run: {_count(stages)}, {where}", flush=True)
            if failures := train(stages):
                raise InputError("\n".join(f"{stage}: {why}" for stage, why in failures.items()))


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


def _groups() -> list[str]:
    """Return which stages train side by side, in their order."""
    from foldwise.files.params import read_params

    params = read_params(PARAMS, "train", "compare")
    needed = {TUNE: params.train.learning_rate == "auto", FIRST: params.compare.race, TRAIN: True}
    return [group for group, is_needed in needed.items() if is_needed]


def _count(stages: Sequence[str]) -> str:
    return f"{len(stages) or 'no'} stale training{'' if len(stages) == 1 else 's'}"
