"""How often compare is wrong, counted over simulated comparisons; docs/verdict.md shows the table.

`python tests/selection/simulation.py` prints it. Two worlds:

- Scores that are normal and correlate by 1/k between any two folds, of one repeat or of two. That
  is the model which the correction assumes (Nadeau and Bengio 2003, Bouckaert and Frank 2004), so
  what the formulas promise must hold exactly.
- Real cross-validation, where the correlation is whatever it is: two learners that are equally
  good, since each sees one half of features that are alike.
"""

import sys
from itertools import combinations
from typing import NamedTuple

import numpy as np

from foldwise.selection.statistics import (
    Sample,
    critical_t,
    error_factor,
    holm,
    power,
    smallest_detectable,
    two_sided_p,
)

CONFIDENCE = 0.95
DESIGNS = ((5, 1), (5, 2), (10, 1), (5, 10))  # folds, repeats
CHUNK = 1000  # comparisons at a time, for memory


class Wrong(NamedTuple):
    """Shares of comparisons.

    Attributes:
        corrected: Any pair of equal architectures called different, corrected test and Holm.
        naive: The same by the plain paired t-test, and Holm.
        covered: Intervals of a mean that hold the true one.
        covered_difference: Intervals of a difference that hold the true one.
    """

    corrected: float
    naive: float
    covered: float
    covered_difference: float


def draw(rng, n, m, k, repeats):
    """Return scores of equal architectures, (n, m, J), correlated by 1/k between any two folds."""
    common = rng.standard_normal((n, m, 1))
    own = rng.standard_normal((n, m, k * repeats))
    return np.sqrt(1 / k) * common + np.sqrt(1 - 1 / k) * own


def samples(values, k):
    """Return mean and spread of values along the last axis."""
    return Sample(values.mean(-1), values.std(-1, ddof=1), values.shape[-1], k)


def naive_p(found):
    return two_sided_p(found.mean / (found.std / np.sqrt(found.n)), found.n)


def standard_errors(found):
    """Return `standard_error` of each of many samples."""
    return np.maximum(error_factor(found.n, found.n_folds) * found.std, found.floor)


def corrected_p(found):
    return two_sided_p(found.mean / standard_errors(found), found.n)


def any_alarm(p):
    """Return whether Holm calls any pair different: p (n, pairs) -> (n,)."""
    return np.array([min(holm(row)) <= 1 - CONFIDENCE for row in p.tolist()])


def equal_architectures(k, repeats, m, n=5000, seed=0):
    """Compare m equal architectures n times."""
    rng, shares = np.random.default_rng(seed), []
    first, second = np.array(list(combinations(range(m), 2))).T
    for _ in range(n // CHUNK):
        scores = draw(rng, CHUNK, m, k, repeats)
        alone, pairs = samples(scores, k), samples(scores[:, first] - scores[:, second], k)
        alarms = [any_alarm(corrected_p(pairs)), any_alarm(naive_p(pairs))]
        shares.append([share.mean() for share in (*alarms, covers(alone), covers(pairs))])
    return Wrong(*np.mean(shares, axis=0))


def covers(found):
    return abs(found.mean) <= critical_t(found.n, CONFIDENCE) * standard_errors(found)


def found_differences(k, repeats, effect, n=5000, seed=0):
    """Return how often a true difference is found.

    Args:
        k: Folds.
        repeats: Of all folds.
        effect: In standard deviations of the paired differences.
        n: Comparisons.
        seed: Of all draws.
    """
    rng, spread = np.random.default_rng(seed), np.sqrt(1 - 1 / k)  # of folds around their mean
    values = draw(rng, n, 1, k, repeats)[:, 0] + effect * spread
    return (corrected_p(samples(values, k)) <= 1 - CONFIDENCE).mean()


def cross_validated(k, repeats, n=2000, images=100, features=5, seed=0):
    """Return differences of accuracy of two equally good learners on made-up data, (n, J).

    Both fit least squares to a class of 0 or 1 that depends on all features alike; one sees the
    first half of the features, the other the second half.
    """
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, images, 2 * features))
    y = np.sign(x.sum(-1) + rng.standard_normal((n, images)) * np.sqrt(features))
    columns = []
    for _ in range(repeats):
        order = rng.permuted(np.broadcast_to(np.arange(images), (n, images)), axis=1)
        x = np.take_along_axis(x, order[..., None], axis=1)
        y = np.take_along_axis(y, order, axis=1)
        for fold in np.split(np.arange(images), k):
            a, b = (accuracies(half, y, fold) for half in (x[..., :features], x[..., features:]))
            columns.append(a - b)
    return np.stack(columns, axis=-1)


def accuracies(x, y, fold):
    """Return the accuracy on one fold of least squares on all others, (n,)."""
    rest = np.setdiff1d(np.arange(y.shape[1]), fold)
    train, truth = x[:, rest], y[:, rest, None]
    weights = np.linalg.solve(train.mT @ train, train.mT @ truth)
    return (np.sign(x[:, fold] @ weights)[..., 0] == y[:, fold]).mean(-1)


def alarms_of_real_folds(k, repeats, **size):
    """Return the shares of false alarms: corrected, naive."""
    found = samples(cross_validated(k, repeats, **size), k)
    varies = found.std > 0  # equal on every fold: no alarm
    with np.errstate(invalid="ignore", divide="ignore"):
        tests = [np.where(varies, p(found), 1) for p in (corrected_p, naive_p)]
    return tuple((p <= 1 - CONFIDENCE).mean() for p in tests)


def percent(share):
    return f"{100 * share:.1f} %"


def table(n=20_000):
    """Return all of it in Markdown."""
    lines = [
        "| folds × repeats | equal architectures | any false alarm | naive t-test "
        "| intervals that hold the mean | the difference |",
        "| --- " * 6 + "|",
    ]
    for k, repeats in DESIGNS:
        for m in (2, 3, 6):
            shares = map(percent, equal_architectures(k, repeats, m, n))
            lines.append(f"| {k} × {repeats} | {m} | {' | '.join(shares)} |")
    lines += [
        "",
        "| folds × repeats | true difference, in s | formula | found |",
        "| --- " * 4 + "|",
    ]
    for k, repeats in DESIGNS:
        large = smallest_detectable(k * repeats, k, CONFIDENCE)
        for effect in (large / 2, large):
            said = power(effect, k * repeats, k, CONFIDENCE)
            found = found_differences(k, repeats, effect, n)
            lines.append(f"| {k} × {repeats} | {effect:.2f} | {percent(said)} | {percent(found)} |")
    lines += ["", "| real folds × repeats | false alarms | naive t-test |", "| --- " * 3 + "|"]
    for k, repeats in DESIGNS:
        shares = map(percent, alarms_of_real_folds(k, repeats, n=n // 4))
        lines.append(f"| {k} × {repeats} | {' | '.join(shares)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
