"""What the learning curves say, in words."""

import pandas as pd

from stages.contracts.comparison import Architecture, Comparison
from stages.report.markdown import bullets, escape, section


def learning(comparison: Comparison, curves: pd.DataFrame) -> str:
    """Return one line an architecture: where its mean curves end, and which way they go.

    Args:
        comparison: What compare found.
        curves: One row an epoch.
    """
    lines = [
        f"{escape(one.name)}: {_line(one, curves[curves['model'] == one.name])}"
        for one in comparison.architectures
    ]
    return section("Learning curves", bullets(lines))


def _line(architecture: Architecture, own: pd.DataFrame) -> str:
    if architecture.scores is None:
        return "failed, so its curves are not averaged."
    mean = own.groupby("epoch").mean(numeric_only=True)
    train, validation = mean["train_accuracy"], mean["validation_accuracy"]
    ends = f"ends at {train.iloc[-1]:.4f} on train, {validation.iloc[-1]:.4f} on validation images"
    if len(mean) == 1:
        return f"{ends}; a single epoch shows no trend."
    change = validation.iloc[-1] - validation.iloc[-2]
    lowest = mean["validation_loss"].idxmin()
    return (
        f"{ends}; validation accuracy moved by {change:+.4f} in the last epoch, "
        f"validation loss was lowest after epoch {lowest} of {len(mean)}."
    )
