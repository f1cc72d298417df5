"""The records as tables: one row a fold, one row an epoch."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from stages.contracts.comparison import CURVES, SCORES
from stages.contracts.fold_record import FoldRecord


def scores_table(records: Iterable[FoldRecord]) -> pd.DataFrame:
    """Return one row a record; what diverged has no numbers.

    Returns:
        The columns of SCORES.
    """
    rows = [_key(record) | _scores(record) for record in records]
    return pd.DataFrame(rows, columns=list(SCORES)).astype(SCORES)


def curves_table(records: Iterable[FoldRecord]) -> pd.DataFrame:
    """Return one row an epoch, those before a divergence included.

    Returns:
        The columns of CURVES.
    """
    rows = [_key(record) | epoch.model_dump() for record in records for epoch in record.curves]
    return pd.DataFrame(rows, columns=list(CURVES)).astype(CURVES)


def _key(record: FoldRecord) -> dict[str, Any]:
    return {"model": record.model, "repeat": record.repeat, "fold": record.fold}


def _scores(record: FoldRecord) -> dict[str, Any]:
    if record.status == "diverged":
        return {}
    return {
        "accuracy": record.accuracy,
        "log_loss": record.log_loss,
        "train_accuracy": record.curves[-1].train_accuracy,
        "seconds_per_epoch": record.timing.train_seconds / len(record.curves),
    }
