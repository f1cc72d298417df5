"""How far the score of the chosen architecture is off, before and after the correction.

`python tests/selection/optimism_simulation.py` prints the table of docs/verdict.md. Architectures
have a true accuracy around .90. Whether an image is classified correctly depends on how hard it is,
which the architectures share (`hard`: the correlation between them), and each training is better or
worse than its architecture by chance (`training`: standard deviation of its accuracy).
"""

import sys
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from foldwise.selection.corrected_score import Rule, largest_shortfall
from foldwise.selection.image_scores import RepeatScores, score_floor
from foldwise.selection.optimism import optimism, units_of_folds, units_of_images
from foldwise.selection.statistics import confidence_interval, error_factor, sample

CONFIDENCE, FOLDS, WORTH = 0.95, 5, 0.01
N_SAMPLES = 200  # fewer than in use: over many comparisons, their noise averages out


class World(NamedTuple):
    """What the comparisons are drawn from.

    Attributes:
        m: Architectures.
        spread: Standard deviation of their true accuracies.
        hard: Correlation of the latent variables of two architectures on an image.
        training: Standard deviation of the accuracy of two trainings of an architecture.
        images: Of a comparison.
    """

    m: int
    spread: float = 0.0
    hard: float = 0.6
    training: float = 0.005
    images: int = 1500


class Errors(NamedTuple):
    """Means over comparisons, in points of accuracy; `covered` is a share.

    Attributes:
        plain: Mean of the chosen architecture minus its true accuracy.
        corrected: The same, corrected by the mean of both bootstraps.
        images: The same, corrected by the bootstrap of images alone.
        folds: The same, corrected by the bootstrap of folds alone.
        covered: Intervals of the corrected score that hold the true accuracy.
        half_width: Half of these intervals.
    """

    plain: float
    corrected: float
    images: float
    folds: float
    covered: float
    half_width: float


def draw(rng, world):
    """Return the true accuracies (m,), and which images are classified correctly (n, m)."""
    accuracy = np.clip(0.9 + world.spread * rng.standard_normal(world.m), 0.5, 0.99)
    trained = accuracy + world.training * rng.standard_normal((FOLDS, world.m))
    shared = np.sqrt(world.hard) * rng.standard_normal((world.images, 1))
    latent = shared + np.sqrt(1 - world.hard) * rng.standard_normal((world.images, world.m))
    limits = ndtri(np.clip(trained, 0.3, 0.995)).repeat(world.images // FOLDS, axis=0)
    return accuracy, (latent < limits).astype(float)


def rule(rng, right, folds):
    """Return the rule of the decision, for architectures with random costs."""
    n, m = right.shape
    largest = np.full((m, m), np.inf)
    for a, b in combinations(range(m), 2):
        error = (folds[:, a] - folds[:, b]).std(ddof=1) * error_factor(FOLDS, FOLDS)
        floor = np.sqrt(((right[:, a] - right[:, b]).var() + 1 / n) / n)  # as difference_floor
        value = largest_shortfall(max(error, floor), FOLDS, FOLDS, WORTH)
        largest[a, b] = largest[b, a] = value
    return Rule(rng.random(m), np.zeros(m), largest, 0.0, higher_is_better=True).choose


def half_width(images, folds, bootstrap):
    values = sample(folds.tolist(), FOLDS, score_floor(images))
    low, high = confidence_interval(values, CONFIDENCE)
    return max((high - low) / 2, bootstrap)


def errors(world, n=400, seed=0):
    """Return the errors of n comparisons."""
    rng, rows = np.random.default_rng(seed), []
    weights = np.full(world.images, 1 / world.images)
    for _ in range(n):
        accuracy, right = draw(rng, world)
        folds = right.reshape(FOLDS, -1, world.m).mean(axis=1)  # (k, m)
        images = {a: [RepeatScores(weights, right[:, a])] for a in range(world.m)}
        by_image = units_of_images(images, resplit=True)
        by_fold = units_of_folds({a: [folds[:, a]] for a in images}, resplit=True)
        choose = rule(rng, right, folds)
        plain = folds.mean(axis=0) - accuracy
        chosen = int(choose(folds.mean(axis=0)[None])[0])
        result = optimism(by_image, choose, CONFIDENCE, N_SAMPLES)
        biases = [result.bias, optimism(by_fold, choose, CONFIDENCE, N_SAMPLES).bias]
        corrected = [plain[chosen] - max(0, bias) for bias in (sum(biases) / 2, *biases)]
        half = half_width(images[chosen], folds[:, chosen], result.half_width)
        rows.append((plain[chosen], *corrected, abs(corrected[0]) <= half, half))
    *points, covered, half = np.mean(rows, axis=0)
    return Errors(*(100 * x for x in points), covered, 100 * half)


def table(n):
    """Yield the errors in Markdown."""
    yield (
        "| images | hard | training | spread | architectures | plain mean | corrected "
        "| by images | by folds | covered | ± |"
    )
    yield "| --- " * 4 + "| ---: " * 7 + "|"
    for images, hard, training in ((1500, 0, 0), (1500, 0.6, 0.005), (15000, 0.6, 0.005)):
        for spread in (0, 0.01):
            for m in (3, 6, 20):
                world = World(m, spread, hard, training, images)
                e = errors(world, n if images < 10000 else n // 3)
                points = " | ".join(f"{x:+.2f}" for x in e[:4])
                yield (
                    f"| {images:,} | {hard} | {training} | {spread} | {m} | {points} "
                    f"| {100 * e.covered:.1f} % | {e.half_width:.2f} |"
                )


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in table(int(*sys.argv[1:] or [400])))
