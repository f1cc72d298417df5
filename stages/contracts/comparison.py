"""reports/comparison.json, metrics.json, scores.csv and curves.csv: what compare found; in git."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from pydantic import Field

from stages.contracts.command import InputError
from stages.contracts.fold_record import Machine
from stages.contracts.json_file import read_json, write_json, write_text
from stages.contracts.strict import Strict

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(ge=0)]
Interval = tuple[float, float]  # low, high, at the confidence of the design

SCORES = {  # one row a (model, repeat, fold); no numbers where training diverged
    "model": "str",
    "repeat": "int64",
    "fold": "int64",
    "accuracy": "float64",
    "log_loss": "float64",  # nats
    "train_accuracy": "float64",  # of the last epoch, in eval mode
    "seconds_per_epoch": "float64",
}
CURVES = {  # one row a (model, repeat, fold, epoch), up to the last epoch with finite losses
    "model": "str",
    "repeat": "int64",
    "fold": "int64",
    "epoch": "int64",
    "train_loss": "float64",  # nats
    "train_accuracy": "float64",
    "validation_loss": "float64",  # nats
    "validation_accuracy": "float64",
}


class Design(Strict):
    """What was compared; the same for every architecture."""

    models: list[str]  # in the order of params.yaml
    repeats: list[int]
    folds: list[int]
    epochs: Annotated[int, Field(ge=1)]
    n_images: Count  # that were split into folds
    metric: Literal["accuracy"]
    confidence: Annotated[float, Field(gt=0, lt=1)]  # of every interval

    @property
    def percent(self) -> str:
        """The confidence in words, such as "95 %"."""
        return f"{100 * self.confidence:g} %"

    @property
    def text(self) -> str:
        """The size of the design in words, such as "5 folds" or "2 repeats × 5 folds"."""
        folds = f"{len(self.folds)} folds"
        return folds if len(self.repeats) == 1 else f"{len(self.repeats)} repeats × {folds}"


class Scores(Strict):
    """One architecture over all repeats and folds: means of one number a fold."""

    mean: Share
    variance: Positive  # ddof 1
    std: Positive
    min: Share
    max: Share
    interval: Interval  # of the mean, corrected; not clipped, so it may leave 0 .. 1
    log_loss: Positive  # nats
    train_accuracy: Share  # of the last epoch, in eval mode
    gap: Annotated[float, Field(ge=-1, le=1)]  # train − validation accuracy

    @property
    def text(self) -> str:
        """The mean and how far its interval reaches to each side, such as "0.9512 ± 0.0123"."""
        return f"{self.mean:.4f} ± {(self.interval[1] - self.interval[0]) / 2:.4f}"


class Cost(Strict):
    """What the clock said: facts of a machine, never the same twice."""

    seconds_per_epoch: Positive  # training steps only, mean over folds
    total_seconds: Positive  # sum over folds, evaluation and start included
    images_per_second: Positive  # in training steps, mean over folds


class Architecture(Strict):
    """One architecture; without scores and cost if any of its folds diverged."""

    name: str
    title: str
    status: Literal["finished", "failed"]
    reason: str | None  # which folds diverged, and why
    parameters: Count
    multiply_adds: Count  # of one image
    scores: Scores | None
    cost: Cost | None


class Difference(Strict):
    """Chosen minus runner-up, paired by repeat and fold."""

    mean: float
    interval: Interval  # corrected
    excludes_zero: bool


class Verdict(Strict):
    """Which architecture to take, and how sure that is."""

    chosen: str | None  # None: no architecture finished
    runner_up: str | None
    difference: Difference | None
    text: str  # one paragraph of plain English


class Comparison(Strict):
    """comparison.json: everything that report shows, but for the single folds and epochs."""

    design: Design
    architectures: list[Architecture]  # best first, failed ones last
    verdict: Verdict
    machines: list[Machine]  # each once; more than one: timings do not compare


class Metrics(Strict):
    """metrics.json: one row of `dvc exp show`, few and stable keys for `dvc metrics diff`.

    The architecture under test is no key of it: that is `model` of params.yaml, and DVC would
    rename both columns to tell them apart.
    """

    mean: Share | None  # of the architecture under test; None: it failed
    std: Positive | None
    verdict: str | None  # the chosen architecture
    verdict_mean: Share | None


@dataclass(frozen=True)
class Findings:
    """All that compare writes.

    Attributes:
        comparison: comparison.json.
        metrics: metrics.json.
        scores: scores.csv, the columns of SCORES.
        curves: curves.csv, the columns of CURVES.
    """

    comparison: Comparison
    metrics: Metrics
    scores: pd.DataFrame
    curves: pd.DataFrame


def write_findings(folder: Path, findings: Findings) -> None:
    """Write comparison.json, metrics.json, scores.csv and curves.csv."""
    write_json(folder / "comparison.json", findings.comparison)
    write_json(folder / "metrics.json", findings.metrics)
    _write_table(folder / "scores.csv", findings.scores, SCORES)
    _write_table(folder / "curves.csv", findings.curves, CURVES)


def read_comparison(path: Path) -> Comparison:
    """Read comparison.json.

    Raises:
        InputError: If it is missing or not of this schema.
    """
    return read_json(path, Comparison)


def read_scores(path: Path) -> pd.DataFrame:
    """Read scores.csv.

    Raises:
        InputError: If it is missing, or has other columns or cells of another type.
    """
    return _read_table(path, SCORES)


def read_curves(path: Path) -> pd.DataFrame:
    """Read curves.csv.

    Raises:
        InputError: If it is missing, or has other columns or cells of another type.
    """
    return _read_table(path, CURVES)


def _write_table(path: Path, table: pd.DataFrame, columns: dict[str, str]) -> None:
    """Write every digit of a number; a missing one is an empty cell."""
    write_text(path, table[list(columns)].to_csv(index=False, lineterminator="\n"))


def _read_table(path: Path, columns: dict[str, str]) -> pd.DataFrame:
    numbers = {name: [""] for name, kind in columns.items() if kind == "float64"}
    try:
        table = pd.read_csv(
            path,
            dtype=columns,
            keep_default_na=False,  # an architecture may be called "null"
            na_values=numbers,
        )
    except FileNotFoundError:
        raise InputError(f"{path} is missing; run 'dvc repro' to make it") from None
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: {reason}; run 'dvc repro -f compare' to make it anew") from None
    if list(table.columns) != list(columns):
        found, expected = ", ".join(map(str, table.columns)), ", ".join(columns)
        raise InputError(f"{path}: the columns are {found}; expected {expected}")
    return table
