"""How the cost grows with the number of images."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from benchmarks.case import Case, commands, open_folder
from benchmarks.process import run_fold, seconds_of
from foldwise.files.base import Strict

Positive = Annotated[float, Field(gt=0)]


class Stages(Strict):
    """Seconds of whole processes on so many images."""

    images: int  # before they are split into folds
    prepare: Positive
    split: Positive
    augment: Positive
    fold: Positive  # one, of one epoch
    peak_memory_bytes: int  # of that fold


class ByImages(Strict):
    """By the number of images, ascending."""

    model: str
    data: str
    sizes: list[Stages]


def by_images(cases: Sequence[Case], params: Path, folder: Path) -> ByImages:
    """Return what the stages take of cases that differ in their number of images alone.

    Args:
        cases: Of one epoch, with ascending numbers of images.
        params: params.yaml, from which a case differs in a few keys.
        folder: Of all cases.
    """
    sizes = [_stages(case, params, folder) for case in cases]
    return ByImages(model=cases[0].model, data=cases[0].shown, sizes=sizes)


def _stages(case: Case, params: Path, folder: Path) -> Stages:
    shutil.rmtree(folder / case.name, ignore_errors=True)
    own = open_folder(case, params, folder)
    seconds = {name: seconds_of(command) for name, command in commands(case, own).items()}
    fold, record = run_fold(own)
    return Stages(
        images=case.images,
        prepare=seconds["prepare"],
        split=seconds["split"],
        augment=seconds["augment"],
        fold=fold,
        peak_memory_bytes=record.timing.peak_memory_bytes,
    )
