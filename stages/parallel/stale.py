"""Which trainings are stale, as DVC says it."""

import json
from collections.abc import Sequence


def stale_trainings(status: str) -> list[str]:
    """Return the stages of train that are not up to date, in the order of dvc.yaml.

    Those whose result is merely missing here or known from an earlier run are among them: DVC takes
    these from its cache, and trains nothing.

    Args:
        status: What `dvc status --json train` prints.
    """
    return [stage for stage in json.loads(status) if stage.startswith("train@")]


def name_of(stage: str) -> str:
    """Return what a stage of train is called among its like: train@lenet5-0-1 is lenet5-0-1."""
    return stage.removeprefix("train@")


def counted(stages: Sequence[str]) -> str:
    """Return how many stages are stale, in words."""
    if not stages:
        return "nothing is stale"
    return "1 stale training" if len(stages) == 1 else f"{len(stages)} stale trainings"
