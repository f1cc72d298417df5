"""What the curves of an architecture say: does it fit, and would it get better?

Everything is measured in eval mode without augmentation, on training images as on validation
images, so that the gap between the two is one of generalisation alone.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean, linear_regression, median, stdev
from typing import NamedTuple

from foldwise.files.comparison import Diagnosis, Fit
from foldwise.files.fold_record import Epoch, FoldRecord
from foldwise.files.params import CompareSection
from foldwise.selection.metrics import ranks

# From one epoch to the next, mean over folds of the largest: the networks of this project lose
# .01 to .03 in the second half of 10 epochs, when the rate of one cycle falls.
DROP = 0.05
# Times the median of the others: the F test of 5 against 5 folds calls a ratio of 3.1 of two
# standard deviations different at 5 % (two-sided). Less than SMALL_SPREAD harms nobody.
WIDE_SPREAD = 3
SMALL_SPREAD = 0.02
LOSS_RISE = 0.02  # of the minimum; what a mean over folds moves by chance once the rate is small
GAIN = 0.005  # per epoch: two epochs more gain a point of accuracy


class Course(NamedTuple):
    """The curves of one architecture in a few numbers, means over the folds.

    Attributes:
        train_accuracy: Of the last epoch.
        gap: Train − validation accuracy of the last epoch.
        start: Validation accuracy of the first epoch.
        slope: Of the validation accuracy over the last third, per epoch; None: a single epoch.
        lowest_loss: Of the validation images.
        lowest_epoch: Where it is.
        last_loss: Of the validation images.
        drop: Largest loss of validation accuracy from one epoch to the next, second half.
        spread: Standard deviation of the last validation accuracy over the folds.
    """

    train_accuracy: float
    gap: float
    start: float
    slope: float | None
    lowest_loss: float
    lowest_epoch: int
    last_loss: float
    drop: float
    spread: float


def diverged(records: Sequence[FoldRecord]) -> Diagnosis:
    """Return the diagnosis of an architecture of which a fold diverged."""
    n_diverged = sum(record.status == "diverged" for record in records)
    return Diagnosis(
        fit="diverged",
        evidence=f"{n_diverged} of {len(records)} folds diverged",
        train_accuracy=None,
        gap=None,
        start=None,
        slope=None,
        start_rank=None,
        potential_rank=None,
    )


def diagnose(
    curves: Mapping[str, Sequence[Sequence[Epoch]]], section: CompareSection
) -> dict[str, Diagnosis]:
    """Return the diagnosis of every architecture that finished.

    The first that holds of: unstable, overfit, underfit, still improving; else it is healthy.

    Args:
        curves: By architecture one curve a run, all of the same epochs.
        section: From which gap and training accuracy on.
    """
    courses = {name: _course(runs) for name, runs in curves.items()}
    starts = ranks({name: -course.start for name, course in courses.items()})
    slopes = ranks({n: -one.slope for n, one in courses.items() if one.slope is not None})
    found = {}
    for name, course in courses.items():
        others = [one.spread for other, one in courses.items() if other != name]
        fit, evidence = _fit(course, others, section)
        found[name] = Diagnosis(
            fit=fit,
            evidence=evidence,
            train_accuracy=course.train_accuracy,
            gap=course.gap,
            start=course.start,
            slope=course.slope,
            start_rank=starts[name],
            potential_rank=slopes.get(name),
        )
    return found


def _course(runs: Sequence[Sequence[Epoch]]) -> Course:
    last = [run[-1] for run in runs]
    losses = [fmean(one.validation_loss for one in epoch) for epoch in zip(*runs, strict=True)]
    accuracies = [[one.validation_accuracy for one in run] for run in runs]
    train_accuracy = fmean(one.train_accuracy for one in last)
    return Course(
        train_accuracy=train_accuracy,
        gap=train_accuracy - fmean(run[-1] for run in accuracies),
        start=fmean(run[0] for run in accuracies),
        slope=_slope([fmean(epoch) for epoch in zip(*accuracies, strict=True)]),
        lowest_loss=min(losses),
        lowest_epoch=1 + losses.index(min(losses)),
        last_loss=losses[-1],
        drop=fmean(_largest_drop(run) for run in accuracies),
        spread=stdev(run[-1] for run in accuracies),
    )


def _slope(accuracy: Sequence[float]) -> float | None:
    """Return the least-squares slope over the last third, at least one step, per epoch."""
    steps = max(1, round(len(accuracy) / 3))
    tail = accuracy[-steps - 1 :]
    return linear_regression(range(len(tail)), tail).slope if len(tail) > 1 else None


def _largest_drop(accuracy: Sequence[float]) -> float:
    """Return the largest drop between two epochs of the second half; at least 0.

    Early swings do not count: the learning rate of one cycle is at its peak then.
    """
    second_half = accuracy[(len(accuracy) - 1) // 2 :]
    return max([0.0, *(before - after for before, after in pairwise(second_half))])


def _fit(course: Course, others: Sequence[float], section: CompareSection) -> tuple[Fit, str]:
    """Return the diagnosis and its evidence.

    Args:
        course: Of one architecture.
        others: Spread of each of the other ones.
        section: From which gap and training accuracy on.
    """
    if unstable := _unstable(course, others):
        return "unstable", unstable
    rise = course.last_loss / course.lowest_loss - 1 if course.lowest_loss else 0.0
    gap = f"training accuracy {course.train_accuracy:.3f}, {course.gap:+.3f} over validation"
    if course.gap > section.gap and rise > LOSS_RISE:
        return "overfit", (
            f"{gap}, and the validation loss rose by {100 * rise:.0f} % from "
            f"{course.lowest_loss:.3f} in epoch {course.lowest_epoch}"
        )
    trend = "" if course.slope is None else f", validation accuracy {course.slope:+.4f} an epoch"
    if course.train_accuracy < section.target:
        return "underfit", (
            f"training accuracy {course.train_accuracy:.3f} is below {section.target:g}{trend} "
            "at the end"
        )
    if course.slope is not None and course.slope >= GAIN:
        return "still improving", f"validation accuracy {course.slope:+.4f} an epoch at the end"
    return "healthy", f"{gap}{trend}"


def _unstable(course: Course, others: Sequence[float]) -> str:
    """Return why training is unstable; empty if it is not."""
    if course.drop > DROP:
        return (
            f"validation accuracy drops by up to {course.drop:.3f} from one epoch to the next in "
            "the second half, mean over the folds"
        )
    usual = median(others) if others else course.spread
    if course.spread > max(SMALL_SPREAD, WIDE_SPREAD * usual):
        return (
            f"validation accuracy spreads by {course.spread:.3f} over the folds, that of the "
            f"others by {usual:.3f}"
        )
    return ""
