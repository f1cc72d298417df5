"""One architecture over all its folds."""

from collections.abc import Sequence
from statistics import fmean, stdev, variance

from stages.compare.corrected import interval
from stages.compare.tables import scores_table
from stages.contracts.card import Card
from stages.contracts.comparison import Architecture, Cost, Scores
from stages.contracts.fold_record import FoldRecord


def summarise(card: Card, records: Sequence[FoldRecord], confidence: float) -> Architecture:
    """Return the numbers of one architecture; none at all if one of its folds diverged.

    A fold that diverged is never averaged, nor left out of an average.

    Args:
        card: Of the architecture.
        records: (J,) one a repeat and fold.
        confidence: Of the interval of the mean, 0 .. 1.
    """
    reason = _why_failed(records)
    return Architecture(
        name=card.name,
        title=card.title,
        status="failed" if reason else "finished",
        reason=reason,
        parameters=card.parameters,
        multiply_adds=card.multiply_adds,
        scores=None if reason else _scores(records, confidence),
        cost=None if reason else _cost(records),
    )


def _why_failed(records: Sequence[FoldRecord]) -> str | None:
    diverged = [
        f"repeat {record.repeat} fold {record.fold} ({record.reason or 'no reason recorded'})"
        for record in records
        if record.status == "diverged"
    ]
    if not diverged:
        return None
    return f"diverged in {len(diverged)} of {len(records)} folds: {', '.join(diverged)}"


def _scores(records: Sequence[FoldRecord], confidence: float) -> Scores:
    table = scores_table(records)
    accuracy = table["accuracy"].tolist()
    train_accuracy = fmean(table["train_accuracy"])
    return Scores(
        mean=fmean(accuracy),
        variance=variance(accuracy),
        std=stdev(accuracy),
        min=min(accuracy),
        max=max(accuracy),
        interval=interval(accuracy, records[0].n_folds, confidence),
        log_loss=fmean(table["log_loss"]),
        train_accuracy=train_accuracy,
        gap=train_accuracy - fmean(accuracy),
    )


def _cost(records: Sequence[FoldRecord]) -> Cost:
    return Cost(
        seconds_per_epoch=fmean(scores_table(records)["seconds_per_epoch"]),
        total_seconds=sum(record.timing.total_seconds for record in records),
        images_per_second=fmean(record.timing.images_per_second for record in records),
    )
