"""How probable it is that one architecture is better than another, and by more than matters.

Corani and Benavoli, "A Bayesian approach for comparing cross-validated algorithms on multiple
data sets", Machine Learning 100, 2015: the correlated t-test. With the correlation 1/k of two
folds the posterior of the true mean is Student's t around the mean found, J − 1 degrees of
freedom, and its scale is the corrected standard error: ρ / (1 − ρ) = 1 / (k − 1).
"""

from typing import NamedTuple

from scipy.special import stdtr

from stages.compare.corrected import DIGITS, Sample, standard_error


class Odds(NamedTuple):
    """Where the true mean is; the three add up to 1.

    Attributes:
        below: Probability that it is below −rope.
        within: That it is practically 0.
        above: That it is above rope.
    """

    below: float
    within: float
    above: float


def odds(found: Sample, rope: float) -> Odds:
    """Return how probable it is that the true mean is below, within and above the ROPE.

    Without spread one of the three is sure.

    Args:
        found: J paired differences.
        rope: Region of practical equivalence: −rope .. rope, in their unit.
    """
    scale = standard_error(found)
    if not scale:
        mean = round(found.mean, DIGITS)
        return Odds(float(mean < -rope), float(abs(mean) <= rope), float(mean > rope))
    below = float(stdtr(found.n - 1, (-rope - found.mean) / scale))
    above = float(stdtr(found.n - 1, (found.mean - rope) / scale))
    return Odds(below, max(0.0, 1 - (below + above)), above)
