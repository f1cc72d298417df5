"""How much the choice flatters the score of the chosen architecture.

The mean of the architecture that won is partly luck, because the same images chose it. Bootstrap
bias-corrected cross-validation (Tsamardinos, Greasidou and Borboudakis, "Bootstrapping the
out-of-sample predictions for efficient and accurate cross-validation", Machine Learning 107, 2018)
repeats the choice on bootstrap samples of the validation images, and scores each choice on the
images left out. No network trains again.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtr

from foldwise.selection.image_scores import ImageScores, RepeatScores
from foldwise.selection.statistics import DIGITS, ScoreMatrix

# With 1,500 images, the corrected score then varies with the seed by .013 points (2 candidates) to
# .023 (10 or 20), half of its interval being 1.1 points or more; 4,000 samples take seconds more.
N_SAMPLES = 1000
CHUNK = 2**21  # numbers at a time: 17 MB
SEED = 17  # the same samples in every comparison
MAX_TIMES = 7  # that a unit is in a sample; more has a probability of .00001
_TIMES = np.arange(MAX_TIMES + 1)
# A unit is in a bootstrap sample of many so many times: Poisson with mean 1.
_PROBABILITIES = np.diff(pdtr(_TIMES[:-1], 1), prepend=0, append=1)

Numbers = NDArray[np.float64]
Columns = NDArray[np.intp]
Choose = Callable[[Numbers], Columns]  # scores (b, m) -> the chosen ones (b,)


class Units(NamedTuple):
    """What the bootstrap draws: the images of a repeat, or its folds; equal ones are one row.

    Attributes:
        counts: (g,) how many units are equal to this one.
        weights: (g,) of each unit in a score.
        values: (g, m) score of each unit, by architecture.
    """

    counts: NDArray[np.int64]
    weights: Numbers
    values: Numbers

    def scores(self, times: NDArray[np.int64]) -> Numbers:
        """Return the scores (b, m) of samples that hold the units so many times (b, g)."""
        weighted = self.weights[:, None] * np.column_stack([self.values, np.ones(len(self.values))])
        sums = times @ weighted
        return np.round(sums[:, :-1] / sums[:, -1:], DIGITS)  # BLAS adds in another order elsewhere


class Optimism(NamedTuple):
    """How much the choice flatters the chosen architecture.

    Attributes:
        bias: Its score minus the mean score of the choices on the units left out; 0 if these are
            all the same architecture.
        half_width: Half of the bootstrap interval of the score of the choices.
    """

    bias: float
    half_width: float


def units_of_images(images: ImageScores, *, resplit: bool) -> list[Units]:
    """Return the images of each repeat.

    Repeats of the same folds are averaged by image. If each repeat has new folds, it is not known
    which images of two repeats are the same.
    """
    repeats: list[tuple[RepeatScores, ...]] = [*zip(*images.values(), strict=True)]
    return _units(
        [each[0].weights for each in repeats],
        [np.column_stack([scores.values for scores in each]) for each in repeats],
        resplit,
    )


def units_of_folds(scores: Mapping[str, ScoreMatrix], *, resplit: bool) -> list[Units]:
    """Return the folds of each repeat; repeats of the same folds are averaged by fold.

    They see the luck of single trainings, too.
    """
    values = np.array([*scores.values()]).transpose(1, 2, 0)  # (repeats, folds, m)
    return _units([*np.ones(values.shape[:2])], [*values], resplit)


def _units(weights: Sequence[Numbers], values: Sequence[Numbers], resplit: bool) -> list[Units]:
    """Return the units of each repeat, or of the mean of all repeats."""
    if not resplit:
        weights, values = weights[:1], [np.mean(values, axis=0)]
    units = []
    for repeat in zip(weights, values, strict=True):
        rows, counts = np.unique(np.column_stack(repeat), axis=0, return_counts=True)
        units.append(Units(counts, rows[:, 0], rows[:, 1:]))
    return units


def optimism(
    repeats: Sequence[Units], choose: Choose, confidence: float, n_samples: int = N_SAMPLES
) -> Optimism:
    """Return how much the choice flatters the chosen architecture, mean over repeats.

    Args:
        repeats: Units of each repeat.
        choose: The rule of the choice.
        confidence: Confidence level of the interval.
        n_samples: Bootstrap samples of all repeats together.
    """
    means = np.mean([units.scores(units.counts[None]) for units in repeats], axis=0)
    taken, n_each = choose(means)[0], -(-n_samples // len(repeats))
    choices = [_choices(units, choose, n_each, taken) for units in repeats]
    inside, lead = (np.concatenate(scores) for scores in zip(*choices, strict=True))
    low, high = np.quantile(inside, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Optimism(
        bias=round(float(lead.mean()), DIGITS), half_width=round(float(high - low) / 2, DIGITS)
    )


def _choices(
    units: Units, choose: Choose, n_samples: int, taken: np.intp
) -> tuple[Numbers, Numbers]:
    """Return the score of each choice on its bootstrap sample, and the lead of the one taken.

    The lead is that over the choice, on the units left out. There, the mean of the architecture
    taken is its mean on all units, but for chance, which largely cancels out like this.
    """
    rng, step = np.random.default_rng(SEED), max(1, CHUNK // (len(_TIMES) * len(units.counts)))
    inside, lead = [], []
    for start in range(0, n_samples, step):
        size = min(step, n_samples - start), len(units.counts)
        drawn = rng.multinomial(units.counts, _PROBABILITIES, size)  # (b, g, times)
        times, left_out = drawn @ _TIMES, drawn[..., 0]
        usable = times.any(axis=1) & left_out.any(axis=1)
        scores, rows = units.scores(times[usable]), np.arange(usable.sum())
        chosen = choose(scores)
        inside.append(scores[rows, chosen])
        outside = units.scores(left_out[usable])
        lead.append(outside[:, taken] - outside[rows, chosen])
    return np.concatenate(inside), np.concatenate(lead)
