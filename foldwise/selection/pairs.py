"""Comparison of every pair of architectures on the same folds."""

from collections.abc import Mapping
from itertools import combinations
from statistics import fmean

from foldwise.files.comparison import Design, Pair
from foldwise.selection.statistics import (
    DIGITS,
    ScoreMatrix,
    confidence_interval,
    holm,
    resampled_values,
    rope_probabilities,
    sample,
    t_test,
)


def compare_pairs(scores: Mapping[str, ScoreMatrix], design: Design) -> list[Pair]:
    """Return the comparison of every two architectures.

    Args:
        scores: Scores of the architectures that finished, best first.
        design: Folds, repeats, metric and levels of the comparison.
    """
    pairs = [_compare(scores, names, design) for names in combinations(scores, 2)]
    adjusted = holm([pair.p for pair in pairs])
    return [
        pair.model_copy(update={"p_holm": p, "different": p <= 1 - design.confidence})
        for pair, p in zip(pairs, adjusted, strict=True)
    ]


def _compare(scores: Mapping[str, ScoreMatrix], names: tuple[str, str], design: Design) -> Pair:
    """Return the comparison of two architectures without the adjustment for other pairs."""
    first, second = (scores[name] for name in names)
    differences = [
        [round(a - b, DIGITS) for a, b in zip(*rows, strict=True)]
        for rows in zip(first, second, strict=True)
    ]
    values = sample(resampled_values(differences, resplit=design.resplit), len(design.folds))
    test = t_test(values)
    below, equal, above = rope_probabilities(values, design.rope)
    higher_is_better = design.decides.higher_is_better
    return Pair(
        first=names[0],
        second=names[1],
        n=values.n,
        mean=values.mean,
        std=values.std,
        interval=confidence_interval(values, design.confidence),
        t=test.t,
        p=test.p,
        p_holm=test.p,
        different=False,
        better=above if higher_is_better else below,
        equal=equal,
        worse=below if higher_is_better else above,
        wins=_win_rate(differences, higher_is_better=higher_is_better),
        detectable=design.detectable.significant * values.std,
    )


def _win_rate(differences: ScoreMatrix, *, higher_is_better: bool) -> float:
    """Return the share of runs in which the first is better; ties count half."""
    signs = [(value > 0) - (value < 0) for row in differences for value in row]
    return fmean((1 + (sign if higher_is_better else -sign)) / 2 for sign in signs)
