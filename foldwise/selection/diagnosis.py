"""Diagnosis of a training: unstable, overfit, underfit, still improving, or healthy.

Training and validation images are evaluated alike, in eval mode without augmentation, so the gap
between them is the generalisation gap alone.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean, linear_regression, median, stdev
from typing import NamedTuple

from foldwise.core.errors import first_few
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

Curves = Sequence[Sequence[Epoch]]  # (folds, epochs)


class CurveSummary(NamedTuple):
    """The learning curves of one architecture, means over the folds.

    Attributes:
        train_accuracy: After the last epoch.
        gap: Training − validation accuracy after the last epoch.
        start: Validation accuracy after the first epoch.
        slope: Slope of the validation accuracy over the last third, per epoch; None for one epoch.
    """

    train_accuracy: float
    gap: float
    start: float
    slope: float | None


def diverged(records: Sequence[FoldRecord]) -> Diagnosis:
    """Return the diagnosis of an architecture with a fold that diverged."""
    failed = [record for record in records if record.status == "diverged"]
    folds = [f"repeat {r.repeat} fold {r.fold} ({r.reason})" for r in failed]
    evidence = f"{len(failed)} of {len(records)} folds, {first_few(folds)}"
    return Diagnosis(fit="diverged", evidence=evidence)


def stopped(records: Sequence[FoldRecord]) -> Diagnosis:
    """Return the diagnosis of an architecture that a race stopped after the first fold."""
    (reason,) = {record.reason or "" for record in records if record.status == "stopped"}
    return Diagnosis(fit="stopped", evidence=reason)


def predicts_one_class(records: Sequence[FoldRecord], classes: Sequence[str]) -> str | None:
    """Return the evidence that a network predicts a single class in most folds; None if not.

    Args:
        records: All folds of an architecture.
        classes: The names of the classes.
    """
    predicted = [
        {p for _, p, _ in record.fold_counts.confusion} for record in records if record.fold_counts
    ]
    single = [classes[label] for labels in predicted if len(labels) == 1 for label in labels]
    if 2 * len(single) <= len(records):
        return None
    names = " or ".join(f"“{name}”" for name in dict.fromkeys(single))
    return f"in {len(single)} of {len(records)} folds, it predicts {names} for every image"


def diagnose(curves: Mapping[str, Curves], *, target: float, gap: float) -> dict[str, Diagnosis]:
    """Return the diagnosis of every architecture that finished.

    The first of unstable, overfit with a validation loss that rises, underfit, still improving,
    and overfit by the gap alone that holds; otherwise healthy.

    Args:
        curves: By architecture one curve per fold, all of the same number of epochs.
        target: Lowest training accuracy that is not underfit.
        gap: Largest training − validation accuracy that is not overfit.
    """
    summaries = {name: _summarise(runs) for name, runs in curves.items()}
    starts = ranks({name: -summary.start for name, summary in summaries.items()})
    slopes = ranks({name: -s.slope for name, s in summaries.items() if s.slope is not None})
    stds = {name: stdev(run[-1].validation_accuracy for run in curves[name]) for name in curves}
    diagnoses = {}
    for name, summary in summaries.items():
        other_stds = [std for other, std in stds.items() if other != name]
        fit, evidence = _fit(curves[name], summary, target, gap)
        if unstable := _instability(curves[name], stds[name], other_stds):
            fit, evidence = "unstable", unstable
        diagnoses[name] = Diagnosis(
            fit=fit,
            evidence=evidence,
            start_rank=starts[name],
            potential_rank=slopes.get(name),
            **summary._asdict(),
        )
    return diagnoses


def _summarise(runs: Curves) -> CurveSummary:
    accuracies = [[epoch.validation_accuracy for epoch in run] for run in runs]
    train_accuracy = fmean(run[-1].train_accuracy for run in runs)
    return CurveSummary(
        train_accuracy=train_accuracy,
        gap=train_accuracy - fmean(run[-1] for run in accuracies),
        start=fmean(run[0] for run in accuracies),
        slope=_slope([fmean(epoch) for epoch in zip(*accuracies, strict=True)]),
    )


def _slope(accuracy: Sequence[float]) -> float | None:
    """Return the least-squares slope over the last third, at least one step, per epoch."""
    steps = max(1, round(len(accuracy) / 3))
    tail = accuracy[-steps - 1 :]
    return linear_regression(range(len(tail)), tail).slope if len(tail) > 1 else None


def _largest_drop(run: Sequence[Epoch]) -> float:
    """Return the largest drop of validation accuracy in the second half; at least 0.

    The first half does not count, because the learning rate of one cycle is at its peak there.
    """
    second_half = [epoch.validation_accuracy for epoch in run[(len(run) - 1) // 2 :]]
    return max([0.0, *(before - after for before, after in pairwise(second_half))])


def _fit(runs: Curves, curve: CurveSummary, target: float, max_gap: float) -> tuple[Fit, str]:
    """Return the diagnosis of stable training and its evidence.

    Args:
        runs: One curve per fold.
        curve: Their summary.
        target: Lowest training accuracy that is not underfit.
        max_gap: Largest gap that is not overfit.
    """
    losses = [fmean(fold.validation_loss for fold in epoch) for epoch in zip(*runs, strict=True)]
    lowest = min(losses)
    rise = losses[-1] / lowest - 1 if lowest else 0.0
    gap = f"training accuracy {curve.train_accuracy:.3f}, {curve.gap:+.3f} relative to validation"
    if curve.gap > max_gap and rise > LOSS_RISE:
        return "overfit", (
            f"{gap}; the validation loss rose by {100 * rise:.0f} % from "
            f"{lowest:.3f} in epoch {1 + losses.index(lowest)}"
        )
    slope = curve.slope
    trend = "" if slope is None else f"validation accuracy {slope:+.4f} per epoch at the end"
    suffix = trend and f"; {trend}"
    if curve.train_accuracy < target:
        return "underfit", f"training accuracy {curve.train_accuracy:.3f} below {target:g}{suffix}"
    if slope is not None and slope >= MIN_SLOPE:
        return "still improving", trend
    return "overfit" if curve.gap > max_gap else "healthy", gap + suffix


def _instability(runs: Curves, std: float, other_stds: Sequence[float]) -> str:
    """Return the evidence for unstable training; empty if it is stable.

    Args:
        runs: One curve per fold.
        std: Standard deviation of the last validation accuracy over the folds.
        other_stds: The same of each other architecture.
    """
    drop = fmean(map(_largest_drop, runs))
    if drop > MAX_DROP:
        return (
            f"validation accuracy drops by up to {drop:.3f} between two epochs of the second "
            "half, mean over the folds"
        )
    usual = median(other_stds) if other_stds else std
    if std > max(SMALL_STD, MAX_STD_RATIO * usual):
        return (
            f"standard deviation of the validation accuracy over the folds {std:.3f}, median of "
            f"the other architectures {usual:.3f}"
        )
    return ""
