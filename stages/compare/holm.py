"""Several tests at once: Holm, "A simple sequentially rejective multiple test procedure", 1979."""

from collections.abc import Sequence
from itertools import accumulate


def holm(p: Sequence[float]) -> list[float]:
    """Return each p-value so that the chance of any false alarm stays below the level of one test.

    The smallest of m counts m times, the next m − 1 times, and so on; none falls below one before
    it. The tests may depend on each other.

    Args:
        p: Of each test, 0 .. 1.
    """
    order = sorted(range(len(p)), key=p.__getitem__)
    counted = [(len(p) - place) * p[test] for place, test in enumerate(order)]
    adjusted = dict(zip(order, accumulate(counted, max), strict=True))
    return [min(1.0, adjusted[test]) for test in range(len(p))]
