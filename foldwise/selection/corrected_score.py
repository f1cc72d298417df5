"""The score of the chosen architecture, corrected for having been chosen on the same images."""

from collections.abc import Mapping
from math import inf
from statistics import fmean
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from foldwise.files.verdict import CorrectedScore
from foldwise.selection import statistics
from foldwise.selection.decision import Decision
from foldwise.selection.image_scores import ImageScores
from foldwise.selection.optimism import (
    Columns,
    Numbers,
    optimism,
    units_of_folds,
    units_of_images,
)
from foldwise.selection.statistics import DIGITS, Sample, ScoreMatrix


class Rule(NamedTuple):
    """The rule of `decide` for many samples of the same architectures at once.

    Attributes:
        costs: (m,) of each architecture.
        size_ranks: (m,) by parameters, then MACs, from the smallest; equal ones share a rank.
        largest: (m, m) largest difference of the mean of the column to that of the best, the row,
            that its expected shortfall allows; infinite on the diagonal.
        same_cost: Relative difference up to which costs are equal.
        higher_is_better: Whether the highest score is the best.
    """

    costs: Numbers
    size_ranks: Numbers
    largest: Numbers
    same_cost: float
    higher_is_better: bool

    def choose(self, scores: Numbers) -> Columns:
        """Return the column (b,) of the chosen architecture in each row of scores (b, m)."""
        losses = -scores if self.higher_is_better else scores
        shortfalls = losses - losses.min(axis=1, keepdims=True)
        allowed = shortfalls <= self.largest[losses.argmin(axis=1)]
        costs = np.where(allowed, self.costs, inf)
        cheap = costs <= costs.min(axis=1, keepdims=True) * (1 + self.same_cost)
        ranks = np.where(cheap & allowed, self.size_ranks, inf)
        smallest = ranks == ranks.min(axis=1, keepdims=True)
        chosen: Columns = np.where(smallest, losses, inf).argmin(axis=1)
        return chosen


def corrected_score(
    decision: Decision, scores: Mapping[str, ScoreMatrix], images: ImageScores
) -> CorrectedScore:
    """Return the corrected score and its interval; the score is never better than the mean.

    The correction is the mean of that by images and that by folds: images do not see the luck of
    single trainings, and folds correct unlike architectures too much. Half of the interval is at
    least that of the mean, and at least that of the bootstrap.

    Args:
        decision: The choice.
        scores: Scores of the folds, by architecture.
        images: Scores of the images, by architecture; [] if the metric is no mean over images.
    """
    design, plain = decision.comparison.design, decision.architecture.scores
    assert plain is not None
    names = [contender.name for contender in decision.contenders]
    if len(names) == 1:
        return CorrectedScore(value=plain.mean, interval=plain.interval, optimism=0, method="none")
    units = [units_of_folds({n: scores[n] for n in names}, resplit=design.resplit)]
    if by_image := bool(images[names[0]]):
        units.append(units_of_images({n: images[n] for n in names}, resplit=design.resplit))
    choose = rule_of(decision).choose
    results = [optimism(each, choose, design.confidence) for each in units]
    sign = 1 if design.decides.higher_is_better else -1
    bias = max(0.0, sign * round(fmean(result.bias for result in results), DIGITS))
    value = round(plain.mean - sign * bias, DIGITS)
    half = max((plain.interval[1] - plain.interval[0]) / 2, results[-1].half_width)
    return CorrectedScore(
        value=value,
        interval=(value - half, value + half),
        optimism=bias,
        method="images and folds" if by_image else "folds",
    )


def rule_of(decision: Decision) -> Rule:
    """Return the rule; columns are the contenders, standard errors those of all folds."""
    contenders, comparison = decision.contenders, decision.comparison
    design, macs = comparison.design, {a.name: a.macs for a in comparison.finished}
    sizes = [(contender.parameters, macs[contender.name]) for contender in contenders]
    names = [contender.name for contender in contenders]
    pairs = [[comparison.pair(best, other) for other in names] for best in names]
    largest = [
        [
            largest_shortfall(pair.standard_error, pair.n, len(design.folds), design.worth)
            if pair
            else inf
            for pair in row
        ]
        for row in pairs
    ]
    return Rule(
        costs=np.array([contender.cost for contender in contenders]),
        size_ranks=np.array([sorted(sizes).index(size) for size in sizes], dtype=np.float64),
        largest=np.array(largest),
        same_cost=design.same_cost,
        higher_is_better=design.decides.higher_is_better,
    )


def largest_shortfall(standard_error: float, n: int, n_folds: int, worth: float) -> float:
    """Return the largest mean difference whose expected shortfall is `worth`; −1: none.

    Args:
        standard_error: Of the difference.
        n: Paired differences.
        n_folds: k.
        worth: Largest expected shortfall.
    """

    def excess(mean: float) -> float:
        values = Sample(mean, 0.0, n, n_folds, standard_error)
        return statistics.expected_shortfall(values) - worth

    if excess(0.0) > 0:
        return -1.0
    return worth if excess(worth) <= 0 else float(brentq(excess, 0.0, worth))
