"""Every two architectures that finished, compared on the same folds."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import fmean
from typing import NamedTuple

from foldwise.files.comparison import Design, Pair
from foldwise.selection.statistics import (
    DIGITS,
    Sample,
    holm,
    independent,
    interval,
    rope_probabilities,
    sample,
    standard_error,
    two_sided,
)

Runs = Sequence[Sequence[float]]  # one row a repeat, one score a fold


class Tested(NamedTuple):
    """One pair before Holm.

    Attributes:
        first: Name of the one of the better mean.
        second: Name of the other.
        differences: First − second of each run, one row a repeat.
        found: What those of them that count as draws of their own have in common.
        t: None: no spread at all.
        p: Two-sided.
    """

    first: str
    second: str
    differences: Runs
    found: Sample
    t: float | None
    p: float


def compare_pairs(scores: Mapping[str, Runs], design: Design) -> list[Pair]:
    """Return what the folds say of every two architectures.

    Args:
        scores: Of those that finished, best first.
        design: What was compared.
    """
    tested = [_test(scores, names, design) for names in combinations(scores, 2)]
    adjusted = holm([one.p for one in tested])
    return [_pair(one, p, design) for one, p in zip(tested, adjusted, strict=True)]


def _test(scores: Mapping[str, Runs], names: tuple[str, str], design: Design) -> Tested:
    first, second = (scores[name] for name in names)
    differences = [
        [round(a - b, DIGITS) for a, b in zip(*rows, strict=True)]
        for rows in zip(first, second, strict=True)
    ]
    values = independent(differences, resplit=design.resplit)
    found = sample(values, len(design.folds))
    if not found.std:
        p = 0.0 if round(found.mean, DIGITS) else 1.0
        return Tested(*names, differences, found, None, p)
    t = found.mean / standard_error(found)
    return Tested(*names, differences, found, t, float(two_sided(t, found.n)))


def _pair(tested: Tested, p_holm: float, design: Design) -> Pair:
    found = tested.found
    below, equal, above = rope_probabilities(found, design.rope)
    better, worse = (above, below) if design.decides.higher_is_better else (below, above)
    return Pair(
        first=tested.first,
        second=tested.second,
        n=found.n,
        mean=found.mean,
        std=found.std,
        interval=interval(found, design.confidence),
        t=tested.t,
        p=tested.p,
        p_holm=p_holm,
        different=p_holm <= 1 - design.confidence,
        better=better,
        equal=equal,
        worse=worse,
        wins=_wins(tested.differences, higher_is_better=design.decides.higher_is_better),
        detectable=design.detectable.significant * found.std,
    )


def _wins(differences: Runs, *, higher_is_better: bool) -> float:
    """Return the share of the runs in which the first is better; ties count half."""
    signs = [(run > 0) - (run < 0) for row in differences for run in row]
    return fmean((1 + (sign if higher_is_better else -sign)) / 2 for sign in signs)
