"""One architecture over all its folds."""

from collections.abc import Sequence
from statistics import fmean, median_high, stdev, variance

import pandas as pd

from foldwise.files.card import Card
from foldwise.files.comparison import Architecture, Cost, Design, Diagnosis, Scores
from foldwise.files.fold_record import FoldRecord
from foldwise.files.verdict import METRICS
from foldwise.selection.pairs import Runs
from foldwise.selection.statistics import independent, interval, parts, sample


def scores_by_model(scores: pd.DataFrame) -> dict[str, Runs]:
    """Return the score of each run of every architecture that finished them all.

    A fold that diverged is never averaged, nor left out of an average.

    Args:
        scores: The table of SCORES.

    Returns:
        By architecture one row a repeat, with one score a fold.
    """
    return {
        str(model): [repeat["score"].tolist() for _, repeat in rows.groupby("repeat", sort=False)]
        for model, rows in scores.groupby("model", sort=False)
        if rows["score"].notna().all()
    }


def spread(scores: Runs) -> float:
    """Return the standard deviation of all scores, ddof 1."""
    return stdev(score for row in scores for score in row)


def why_failed(records: Sequence[FoldRecord]) -> str | None:
    """Return which folds of an architecture diverged, and why; None: it finished."""
    diverged = [
        f"repeat {record.repeat} fold {record.fold} ({record.reason or 'no reason recorded'})"
        for record in records
        if record.status == "diverged"
    ]
    if not diverged:
        return None
    return f"diverged in {len(diverged)} of {len(records)} folds: {', '.join(diverged)}"


def summarise_architecture(
    card: Card,
    records: Sequence[FoldRecord],
    table: pd.DataFrame,
    scores: Scores | None,
    diagnosis: Diagnosis,
) -> Architecture:
    """Return the numbers of one architecture; none at all if one of its folds diverged.

    Args:
        card: What it is.
        records: One a run.
        table: The same as rows of SCORES.
        scores: The metric that decides; None: it failed.
        diagnosis: What its curves say.
    """
    return Architecture(
        name=card.name,
        title=card.title,
        status="finished" if scores else "failed",
        reason=why_failed(records),
        parameters=card.parameters,
        macs=card.macs,
        predicted_memory_bytes=card.memory.with_batches_of(records[0].batch_size),
        scores=scores,
        metrics={name: fmean(table[name]) for name in METRICS} if scores else None,
        diagnosis=diagnosis,
        cost=_cost(records, table) if scores else None,
    )


def describe_scores(scores: Runs, stability_rank: int, design: Design) -> Scores:
    """Return what the scores of one architecture have in common.

    Args:
        scores: One row a repeat, one score a fold.
        stability_rank: Among the architectures that finished.
        design: What was compared.
    """
    every = [score for row in scores for score in row]
    counted = sample(independent(scores, resplit=design.resplit), len(design.folds))
    return Scores(
        mean=fmean(every),
        variance=variance(every),
        std=stdev(every),
        min=min(every),
        max=max(every),
        interval=interval(counted, design.confidence),
        stability_rank=stability_rank,
        parts=None if design.resplit else parts(scores),
    )


def _cost(records: Sequence[FoldRecord], table: pd.DataFrame) -> Cost:
    timings = [record.timing for record in records]
    gpu = [one.peak_gpu_bytes for one in timings if one.peak_gpu_bytes is not None]
    return Cost(
        seconds_per_epoch=fmean(table["seconds_per_epoch"]),
        total_seconds=sum(one.total_seconds for one in timings),
        images_per_second=fmean(one.images_per_second for one in timings),
        peak_memory_bytes=median_high(one.peak_memory_bytes for one in timings),
        peak_gpu_bytes=median_high(gpu) if gpu else None,
    )
