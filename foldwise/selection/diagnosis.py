"""Diagnosis of the learning curves: unstable, overfit, underfit, still improving, or healthy.

Training and validation images are evaluated alike, in eval mode without augmentation, so the gap
between them is the generalisation gap alone.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean, linear_regression, median, stdev
from typing import NamedTuple

from foldwise.files.comparison import Diagnosis, Fit
from foldwise.files.fold_record import Epoch, FoldRecord
from foldwise.selection.metrics import ranks

# Largest drop of validation accuracy between two epochs, mean over folds. The networks of this
# project lose .01 to .03 in the second half of 10 epochs, when the learning rate falls.
MAX_DROP = 0.05
# Ratio to the median std of the others. The F test of 5 against 5 folds calls a ratio of 3.1 of
# two standard deviations significant at 5 % (two-sided). A std below SMALL_STD does no harm.
MAX_STD_RATIO = 3
SMALL_STD = 0.02
LOSS_RISE = 0.02  # relative to the minimum; a mean over folds moves as much by chance
MIN_SLOPE = 0.005  # accuracy per epoch: two more epochs gain one point


class CurveSummary(NamedTuple):
    """The learning curves of one architecture, means over the folds.

    Attributes:
        train_accuracy: After the last epoch.
        gap: Training − validation accuracy after the last epoch.
        start: Validation accuracy after the first epoch.
        slope: Slope of the validation accuracy over the last third, per epoch; None for one epoch.
        losses: Validation loss of each epoch.
        drop: Largest drop of validation accuracy between two epochs of the second half.
        std: Standard deviation of the last validation accuracy over the folds.
    """

    train_accuracy: float
    gap: float
    start: float
    slope: float | None
    losses: Sequence[float]
    drop: float
    std: float


def diverged(records: Sequence[FoldRecord]) -> Diagnosis:
    """Return the diagnosis of an architecture with a fold that diverged."""
    n_diverged = sum(record.status == "diverged" for record in records)
    return Diagnosis(fit="diverged", evidence=f"{n_diverged} of {len(records)} folds diverged")


def diagnose(
    curves: Mapping[str, Sequence[Sequence[Epoch]]], *, target: float, gap: float
) -> dict[str, Diagnosis]:
    """Return the diagnosis of every architecture that finished.

    The first of unstable, overfit, underfit and still improving that holds; otherwise healthy.

    Args:
        curves: By architecture one curve per fold, all of the same number of epochs.
        target: Lowest training accuracy that is not underfit.
        gap: Largest training − validation accuracy that is never overfit.
    """
    summaries = {name: _summarise(runs) for name, runs in curves.items()}
    starts = ranks({name: -summary.start for name, summary in summaries.items()})
    slopes = ranks(
        {n: -summary.slope for n, summary in summaries.items() if summary.slope is not None}
    )
    diagnoses = {}
    for name, summary in summaries.items():
        other_stds = [other.std for other_name, other in summaries.items() if other_name != name]
        fit, evidence = _fit(summary, other_stds, target=target, max_gap=gap)
        diagnoses[name] = Diagnosis(
            fit=fit,
            evidence=evidence,
            train_accuracy=summary.train_accuracy,
            gap=summary.gap,
            start=summary.start,
            slope=summary.slope,
            start_rank=starts[name],
            potential_rank=slopes.get(name),
        )
    return diagnoses


def _summarise(runs: Sequence[Sequence[Epoch]]) -> CurveSummary:
    losses = [fmean(fold.validation_loss for fold in epoch) for epoch in zip(*runs, strict=True)]
    accuracies = [[epoch.validation_accuracy for epoch in run] for run in runs]
    train_accuracy = fmean(run[-1].train_accuracy for run in runs)
    return CurveSummary(
        train_accuracy=train_accuracy,
        gap=train_accuracy - fmean(run[-1] for run in accuracies),
        start=fmean(run[0] for run in accuracies),
        slope=_slope([fmean(epoch) for epoch in zip(*accuracies, strict=True)]),
        losses=losses,
        drop=fmean(_largest_drop(run) for run in accuracies),
        std=stdev(run[-1] for run in accuracies),
    )


def _slope(accuracy: Sequence[float]) -> float | None:
    """Return the least-squares slope over the last third, at least one step, per epoch."""
    steps = max(1, round(len(accuracy) / 3))
    tail = accuracy[-steps - 1 :]
    return linear_regression(range(len(tail)), tail).slope if len(tail) > 1 else None


def _largest_drop(accuracy: Sequence[float]) -> float:
    """Return the largest drop between two epochs of the second half; at least 0.

    The first half does not count, because the learning rate of one cycle is at its peak there.
    """
    second_half = accuracy[(len(accuracy) - 1) // 2 :]
    return max([0.0, *(before - after for before, after in pairwise(second_half))])


def _fit(
    curve: CurveSummary, other_stds: Sequence[float], *, target: float, max_gap: float
) -> tuple[Fit, str]:
    """Return the diagnosis and its evidence.

    Args:
        curve: Summary of one architecture.
        other_stds: Standard deviation over the folds of each other architecture.
        target: Lowest training accuracy that is not underfit.
        max_gap: Largest gap that is never overfit.
    """
    if unstable := _instability(curve, other_stds):
        return "unstable", unstable
    lowest = min(curve.losses)
    rise = curve.losses[-1] / lowest - 1 if lowest else 0.0
    gap = f"training accuracy {curve.train_accuracy:.3f}, {curve.gap:+.3f} relative to validation"
    if curve.gap > max_gap and rise > LOSS_RISE:
        return "overfit", (
            f"{gap}; the validation loss rose by {100 * rise:.0f} % from "
            f"{lowest:.3f} in epoch {1 + curve.losses.index(lowest)}"
        )
    slope = (
        ""
        if curve.slope is None
        else f"validation accuracy {curve.slope:+.4f} per epoch at the end"
    )
    trend = f"; {slope}" if slope else ""
    if curve.train_accuracy < target:
        return "underfit", f"training accuracy {curve.train_accuracy:.3f} below {target:g}{trend}"
    if curve.slope is not None and curve.slope >= MIN_SLOPE:
        return "still improving", slope
    return "healthy", f"{gap}{trend}"


def _instability(curve: CurveSummary, other_stds: Sequence[float]) -> str:
    """Return the evidence for unstable training; empty if it is stable."""
    if curve.drop > MAX_DROP:
        return (
            f"validation accuracy drops by up to {curve.drop:.3f} between two epochs of the "
            "second half, mean over the folds"
        )
    usual = median(other_stds) if other_stds else curve.std
    if curve.std > max(SMALL_STD, MAX_STD_RATIO * usual):
        return (
            f"standard deviation of the validation accuracy over the folds {curve.std:.3f}, "
            f"median of the other architectures {usual:.3f}"
        )
    return ""
