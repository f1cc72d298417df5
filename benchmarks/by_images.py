"""Run time and memory of the stages for several numbers of images."""

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
    """Seconds of whole processes for one number of images."""

    images: int  # before the split into folds
    prepare: Positive
    split: Positive
    augment: Positive
    fold: Positive  # one fold of one epoch
    peak_memory_bytes: int  # of that fold


class ByImages(Strict):
    """Times for ascending numbers of images."""

    model: str
    data: str
    sizes: list[Stages]


def by_images(cases: Sequence[Case], params: Path, folder: Path) -> ByImages:
    """Return the times of cases that differ only in their number of images.

    Args:
        cases: Cases of one epoch, with ascending numbers of images.
        params: params.yaml; a case changes a few keys.
        folder: Folder of all cases.
    """
    sizes = [_stages(case, params, folder) for case in cases]
    return ByImages(model=cases[0].model, data=cases[0].title, sizes=sizes)


def _stages(case: Case, params: Path, folder: Path) -> Stages:
    shutil.rmtree(folder / case.name, ignore_errors=True)
    case_folder = open_folder(case, params, folder)
    seconds = {name: seconds_of(command) for name, command in commands(case, case_folder).items()}
    fold, record = run_fold(case_folder)
    return Stages(
        images=case.images,
        prepare=seconds["prepare"],
        split=seconds["split"],
        augment=seconds["augment"],
        fold=fold,
        peak_memory_bytes=record.timing.peak_memory_bytes,
    )
