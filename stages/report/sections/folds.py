"""The accuracy of every fold."""

import pandas as pd

from stages.contracts.comparison import Comparison
from stages.report.markdown import escape, section, table


def folds(comparison: Comparison, scores: pd.DataFrame) -> str:
    """Return the table, folded away: one row a fold, one column an architecture.

    Args:
        comparison: What compare found; its order is that of the columns.
        scores: One row a (model, repeat, fold).
    """
    names = [one.name for one in comparison.architectures]
    wide = scores.pivot(index=["repeat", "fold"], columns="model", values="accuracy")[names]
    rows = [
        [f"repeat {repeat} fold {fold}", *map(_cell, accuracies)]
        for (repeat, fold), accuracies in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    return section(
        "Folds",
        "<details><summary>Accuracy of every fold</summary>",
        table(["fold", *map(escape, names)], rows),
        "</details>",
    )


def _cell(accuracy: float) -> str:
    return "diverged" if pd.isna(accuracy) else f"{accuracy:.4f}"
