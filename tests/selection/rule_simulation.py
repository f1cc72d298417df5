"""What selection rules give up and save, over simulated comparisons; docs/verdict.md has the table.

`python tests/selection/rule_simulation.py` prints it. The candidates have normal true scores, folds
that correlate as those of cross-validation, and log-normal costs (sd 1). In a second part single
images are drawn, so that two folds may agree to the last digit.
"""

import math
import sys
from itertools import combinations

import numpy as np

from foldwise.selection.image_scores import RepeatScores, difference_floor
from foldwise.selection.statistics import (
    expected_shortfall,
    holm,
    rope_probabilities,
    sample,
    standard_error,
    t_test,
)

WORTH, SURE, CONFIDENCE = 0.01, 0.95, 0.95
SPREAD = 0.012  # standard deviation of paired differences
WORLDS = ((3, 0.01), (6, 0.01), (3, 0.003))  # candidates, sd of their true scores
EQUAL = ((3, 0.0), (6, 0.0))


def practically_equal(values, _p):
    """Return whether two architectures are practically equal with probability 95 %."""
    return rope_probabilities(values, WORTH)[1] >= SURE


def one_standard_error(values, _p):
    return values.mean <= standard_error(values)


def little_to_lose(values, _p):
    """Return whether the rule of Foldwise takes the cheaper one."""
    return expected_shortfall(values) <= WORTH


def not_significantly_worse(_values, p):
    return p > 1 - CONFIDENCE


RULES = {
    "highest mean": None,
    "practically equal with probability 95 %": practically_equal,
    "within one standard error": one_standard_error,
    "expected shortfall ≤ 0.01 (Foldwise)": little_to_lose,
    "not significantly worse": not_significantly_worse,
}


def simulate(m, tau, n, k=5, seed=0):
    """Return what each rule chooses in n comparisons.

    Returns:
        By rule (n, 3): true shortfall against the truly best, log-cost against the best mean, and
        whether the cheapest of all is taken.
    """
    rng, chosen = np.random.default_rng(seed), {name: [] for name in RULES}
    spread = SPREAD / math.sqrt(2)  # of one architecture, around the mean of its folds
    for _ in range(n):
        true, log_cost = tau * rng.standard_normal(m), rng.standard_normal(m)
        common = rng.standard_normal((m, 1)) / math.sqrt(k - 1)  # correlation 1 / k
        scores = true[:, None] + spread * (common + rng.standard_normal((m, k)))
        order = np.argsort(-scores.mean(1))
        pairs = [sample((scores[order[0]] - scores[i]).tolist(), k) for i in order]
        p = [1.0, *_adjusted(scores[order], k)]
        for name, rule in RULES.items():
            allowed = [
                i for i, *facts in zip(order, pairs, p, strict=True) if rule and rule(*facts)
            ]
            pick = min([order[0], *allowed], key=lambda i: log_cost[i])
            cheapest = pick == log_cost.argmin()
            chosen[name].append(
                (true.max() - true[pick], log_cost[pick] - log_cost[order[0]], cheapest)
            )
    return {name: np.array(rows, dtype=float) for name, rows in chosen.items()}


def _adjusted(scores, k):
    """Return the adjusted p-values of the best mean against each other one, (m − 1,)."""
    pairs = list(combinations(range(len(scores)), 2))
    p = holm([t_test(sample((scores[a] - scores[b]).tolist(), k))[1] for a, b in pairs])
    return p[: len(scores) - 1]


def false_alarms(k, n, images=240, accuracy=0.9, share_alike=0.5, seed=0):
    """Return how often two equally good architectures are called different, on n draws of images.

    Args:
        k: Folds.
        n: Comparisons.
        images: Of a repeat.
        accuracy: Of both.
        share_alike: Of the images, on which both answer alike.
        seed: Of all draws.

    Returns:
        Shares of comparisons, with and without the floor of the standard error.
    """
    rng = np.random.default_rng(seed)
    right = (rng.random((2, n, images)) < accuracy).astype(float)
    right[1] = np.where(rng.random((n, images)) < share_alike, right[0], right[1])
    alarms, weights = [], np.full(images, 1 / images)
    for a, b in zip(*right, strict=True):
        floor = difference_floor([RepeatScores(weights, a)], [RepeatScores(weights, b)])
        values = sample((a - b).reshape(k, -1).mean(1).round(12).tolist(), k, floor)
        tests = [t_test(each)[1] for each in (values, values._replace(floor=0.0))]
        alarms.append([p <= 1 - CONFIDENCE for p in tests])
    return tuple(np.mean(alarms, axis=0).tolist())


def table(n=1500):
    """Return all of it in Markdown."""
    lines = [
        "| candidates | sd of their true scores | rule | true shortfall | mean log-cost "
        "| cheapest of all taken |",
        "| ---: | ---: | --- | ---: | ---: | ---: |",
    ]
    for m, tau in (*WORLDS, *EQUAL):
        for name, rows in simulate(m, tau, n).items():
            lost, cost, cheapest = rows.mean(0)
            lines.append(f"| {m} | {tau:g} | {name} | {lost:.4f} | {cost:+.2f} | {cheapest:.0%} |")
    lines += [
        "",
        "| folds | equal pairs called different | without the floor |",
        "| --- " * 3 + "|",
    ]
    for k in (2, 3, 5, 10):
        lines.append(f"| {k} | " + " | ".join(f"{a:.1%}" for a in false_alarms(k, 2 * n)) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
