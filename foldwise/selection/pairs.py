"""Comparison of every pair of architectures on the same folds."""

import math
from collections.abc import Mapping
from itertools import chain, combinations
from statistics import fmean
from types import MappingProxyType

import numpy as np

from foldwise.files.comparison import Pair
from foldwise.files.verdict import Criteria, MetricName
from foldwise.selection import statistics
from foldwise.selection.image_scores import ImageScores, difference_floor
from foldwise.selection.metrics import as_loss
from foldwise.selection.statistics import DIGITS, ScoreMatrix

Scores = Mapping[str, ScoreMatrix]  # by architecture


def compare_scores(
    scores: Scores,
    metric: MetricName = "accuracy",
    worth: float = 0.01,
    confidence: float = 0.95,
    *,
    resplit: bool = True,
) -> list[Pair]:
    """Return the comparison of every two architectures, the better one first.

    The test is the corrected resampled t-test, with p-values adjusted by Holm. All architectures
    need scores on the same folds, because scores are compared fold by fold.

    Args:
        scores: Per architecture (repeats, folds): one row per repeat, one score per fold.
        metric: What the scores are. It says whether higher or lower is better.
        worth: Smaller differences do not matter (region of practical equivalence).
        confidence: Confidence level of intervals and tests.
        resplit: Whether each repeat has new folds. False: all repeats share their folds, and the
            scores of a fold are averaged first.

    Returns:
        The pairs in the order of the means. All differences are first − second.

    Raises:
        ValueError: If an argument is out of range, or if the architectures or the repeats differ
            in their number of folds.

    Example:
        >>> small, large = [0.85, 0.90, 0.88, 0.92], [0.90, 0.94, 0.95, 0.94]  # 4 folds
        >>> (pair,) = compare_scores({"small": [small], "large": [large]})
        >>> pair.first, pair.second
        ('large', 'small')
        >>> low, high = pair.interval
        >>> print(f"{pair.mean:.3f} (95 % interval {low:.3f} to {high:.3f}), p = {pair.p:.2f}")
        0.045 (95 % interval -0.006 to 0.096), p = 0.07
    """
    criteria = Criteria(metric=metric, top_k=1, confidence=confidence, worth=worth)
    if any(np.ndim(row) != 1 for matrix in scores.values() for row in matrix):
        raise ValueError(
            "scores: expected a list of repeats for each name, each a list of scores, such as "
            "{'small': [[0.85, 0.9]]} for one repeat of two folds"
        )
    n_folds = {name: [len(row) for row in matrix] for name, matrix in scores.items()}
    n_repeats, counts = {*map(len, n_folds.values())}, {*chain(*n_folds.values())}
    if len(n_repeats) != 1 or len(counts) != 1 or min(counts) < 2:
        raise ValueError(
            f"scores: folds of each repeat are {n_folds}; expected the same number, at least 2, "
            "for all; leave out incomplete repeats"
        )
    numbers = np.array([*scores.values()], dtype=np.float64)  # (architectures, repeats, folds)
    if not np.isfinite(numbers).all():
        raise ValueError("scores: a score is NaN or infinite; leave out what diverged")
    rows = dict(zip(scores, numbers.tolist(), strict=True))
    losses = {name: as_loss(fmean(chain(*rows[name])), criteria.decides) for name in rows}
    ranked = sorted(rows, key=lambda name: (losses[name], name))
    return compare_pairs({name: rows[name] for name in ranked}, criteria, resplit=resplit)


def compare_pairs(
    scores: Scores,
    criteria: Criteria,
    *,
    resplit: bool,
    images: ImageScores = MappingProxyType({}),
    n_before: int = 0,
) -> list[Pair]:
    """Return the comparison of every two architectures.

    Args:
        scores: Scores of the architectures that finished, best first.
        criteria: Metric, confidence level and region of practical equivalence.
        resplit: Whether each repeat has new folds.
        images: Scores of their images; empty if unknown.
        n_before: Other architectures that were compared on these folds before. Their pairs count
            in the correction of Holm.
    """
    pairs = []
    for names in combinations(scores, 2):
        floor = difference_floor(*(images.get(name, []) for name in names))
        pairs.append(_compare(scores, names, criteria, (resplit, floor)))
    n_tests = math.comb(len(scores) + n_before, 2)
    p_values, n_unseen = [pair.p for pair in pairs], n_tests - len(pairs)
    adjusted = statistics.holm(p_values, n_unseen)
    levels = statistics.holm_levels(p_values, 1 - criteria.confidence, n_unseen)
    return [
        pair.model_copy(
            update={
                "p_holm": p,
                "different": p <= 1 - criteria.confidence,
                "detectable": statistics.critical_t(pair.n, 1 - level) * pair.standard_error,
            }
        )
        for pair, p, level in zip(pairs, adjusted, levels, strict=True)
    ]


def _compare(
    scores: Scores, names: tuple[str, str], criteria: Criteria, design: tuple[bool, float]
) -> Pair:
    """Return the comparison of two architectures without the adjustment for other pairs.

    Args:
        scores: Of all architectures.
        names: Of the two.
        criteria: Metric, confidence level and region of practical equivalence.
        design: Whether each repeat has new folds, and the smallest standard error.
    """
    resplit, floor = design
    differences = [
        [round(a - b, DIGITS) for a, b in zip(*rows, strict=True)]
        for rows in zip(*(scores[name] for name in names), strict=True)
    ]
    n_folds, confidence = len(differences[0]), criteria.confidence
    resampled = statistics.resampled_values(differences, resplit=resplit)
    values = statistics.sample(resampled, n_folds, floor)
    t, p = statistics.t_test(values)
    error = statistics.standard_error(values)
    worse, equal, better = statistics.rope_probabilities(values, criteria.worth)
    signs = [(value > 0) - (value < 0) for value in chain.from_iterable(differences)]
    if not criteria.decides.higher_is_better:
        better, worse, signs = worse, better, [-sign for sign in signs]
    lead = values if criteria.decides.higher_is_better else values._replace(mean=-values.mean)
    return Pair(
        first=names[0],
        second=names[1],
        n=values.n,
        mean=values.mean,
        std=values.std,
        standard_error=error,
        interval=statistics.confidence_interval(values, confidence),
        t=t,
        p=p,
        p_holm=p,
        different=False,
        better=better,
        equal=equal,
        worse=worse,
        wins=fmean((1 + sign) / 2 for sign in signs),
        expected_shortfall=statistics.expected_shortfall(lead),
        detectable=statistics.critical_t(values.n, confidence) * error,
    )
