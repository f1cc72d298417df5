"""What the race over folds saves and costs; docs/verdict.md has the table.

`python tests/selection/race_simulation.py` prints it. The comparisons are those of
optimism_simulation.py: images that are hard for all architectures alike, and trainings that are
better or worse by chance. Costs are random. Each comparison is decided twice, with and without the
race.
"""

import sys
from itertools import combinations
from typing import NamedTuple

import numpy as np
from optimism_simulation import FOLDS, World, draw

from foldwise.files.verdict import Criteria
from foldwise.selection import race
from foldwise.selection.image_scores import RepeatScores
from foldwise.selection.statistics import expected_shortfall, holm, sample, t_test

CRITERIA = Criteria(metric="accuracy", top_k=1, confidence=0.95, worth=0.01)
# A fold has .5 points of noise that the architectures do not share: half of it images, half luck.
LARGE = {"images": 20_000, "training": 0.0035}
SMALL = {"images": 1500, "training": 0.005}
UNSTEADY = {"images": 20_000, "training": 0.015}  # trainings that are too short, for example
WORLDS = [
    (1, World(m, spread, **size))
    for size, spreads in ((LARGE, (0.02, 0.01, 0)), (SMALL, (0.02, 0.01, 0)), (UNSTEADY, (0.02,)))
    for spread in spreads
    for m in (3, 6, 20)
] + [(2, World(m, 0.02, **LARGE)) for m in (3, 6, 20)]


class Outcome(NamedTuple):
    """Means over comparisons; shares, and true accuracies given up against no race.

    Attributes:
        trained: Folds that are trained.
        stopped: Comparisons in which the race stops the truly best architecture.
        best_mean: Given up more than without the race, if the highest mean is taken.
        rule: The same by the rule of the verdict.
        different: Comparisons that call any pair of equal architectures different.
    """

    trained: float
    stopped: float
    best_mean: float
    rule: float
    different: float


def first_decision(right):
    """Return which architectures go on, (m,), by the images that are classified right (n, m)."""
    fold = right[: len(right) // FOLDS]
    weights = np.full(len(fold), 1 / len(fold))
    images = {str(a): [RepeatScores(weights, fold[:, a])] for a in range(right.shape[1])}
    scores = dict(zip(images, fold.mean(axis=0).tolist(), strict=True))
    standings = race.compare_with_best(scores, images, CRITERIA)
    return np.array([standing.goes_on for standing in standings])


def second_decision(right, goes_on):
    """Return which ones go on after the second fold by the same rule; no stage decides this."""
    both = right[: 2 * (len(right) // FOLDS)]
    means = np.where(goes_on, both.mean(axis=0), -1)
    best = means.argmax()
    error = np.sqrt(((both[:, [best]] - both).var(axis=0) + 1 / len(both)) / len(both))
    half = [race.half_width(2**0.5 * e, CRITERIA.confidence) / 2**0.5 for e in error.tolist()]
    return goes_on & (means[best] - means - half <= CRITERIA.worth)


def compared(right, n_unseen=0):
    """Return each pair, best mean first, as `compare_pairs` does, but faster.

    Args:
        right: (n, m) images that are classified right, fold by fold.
        n_unseen: Architectures that were stopped; Holm counts their pairs.

    Returns:
        By pair the expected shortfall of the second, and p after Holm.
    """
    n, m = right.shape
    folds = right.reshape(FOLDS, -1, m).mean(axis=1).round(12)  # (k, m)
    order = np.argsort(-folds.mean(axis=0), kind="stable")
    both, means = right.T @ right / n, right.mean(axis=0)
    variances = means[:, None] + means - 2 * both - (means[:, None] - means) ** 2
    floors = np.sqrt((variances + 1 / n) / n)  # as difference_floor
    values = {
        (a, b): sample((folds[:, a] - folds[:, b]).tolist(), FOLDS, floors[a, b])
        for a, b in combinations(order.tolist(), 2)
    }
    n_tests = (m + n_unseen) * (m + n_unseen - 1) // 2
    p = holm([t_test(each)[1] for each in values.values()], n_tests - len(values))
    shortfalls = map(expected_shortfall, values.values())
    return dict(zip(values, zip(shortfalls, p, strict=True), strict=True))


def verdict(right, costs, n_unseen):
    """Return the highest mean, the choice of the rule, and whether any pair is different."""
    pairs, best = compared(right, n_unseen), int(right.mean(axis=0).round(12).argmax())
    allowed = [b for (a, b), (lost, _) in pairs.items() if a == best and lost <= CRITERIA.worth]
    chosen = min([best, *allowed], key=costs.__getitem__)
    return best, chosen, min((p for _, p in pairs.values()), default=1) <= 1 - CRITERIA.confidence


def simulate(world, n, n_decisions=1, seed=0):
    """Return the outcome of n comparisons.

    Args:
        world: What they are drawn from.
        n: Comparisons.
        n_decisions: 2: also after the second fold.
        seed: Of all draws.
    """
    rng, rows = np.random.default_rng(seed), []
    for _ in range(n):
        accuracy, right = draw(rng, world)
        costs, lost = rng.random(world.m), accuracy.max() - accuracy
        goes_on = first_decision(right)
        trained = world.m + goes_on.sum()
        if n_decisions == 2:
            goes_on = second_decision(right, goes_on)
        trained += (FOLDS - 2) * goes_on.sum()
        left = np.flatnonzero(goes_on)
        best, chosen, different = verdict(right[:, left], costs[left], world.m - len(left))
        raced = left[best], left[chosen]
        without = raced if goes_on.all() else verdict(right, costs, 0)[:2]
        rows.append(
            (
                trained / (FOLDS * world.m),
                not goes_on[accuracy.argmax()],
                *(lost[list(raced)] - lost[list(without)]),
                different,
            )
        )
    return Outcome(*np.mean(rows, axis=0).tolist())


def table(n):
    """Yield the outcomes in Markdown; regrets are points of true accuracy."""
    yield (
        "| images | sd of trainings | sd of true accuracies | decisions | candidates "
        "| folds trained | best stopped | added regret, highest mean | added regret, rule "
        "| any called different |"
    )
    yield "| ---: " * 10 + "|"
    for decisions, world in WORLDS:
        o = simulate(world, n, decisions)
        equal = not world.spread
        yield (
            f"| {world.images:,} | {world.training} | {world.spread:g} | {decisions} | {world.m} "
            f"| {100 * o.trained:.0f} % | {'' if equal else f'{100 * o.stopped:.1f} %'} "
            f"| {100 * o.best_mean:+.3f} | {100 * o.rule:+.3f} "
            f"| {f'{100 * o.different:.1f} %' if equal else ''} |"
        )


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in table(int(*sys.argv[1:] or [400])))
