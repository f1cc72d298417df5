"""The learning rate of each step: one cycle.

Smith and Topin, "Super-convergence", 2018, with the cosine of fast.ai and of torch's OneCycleLR:
from a 25th of the peak up to it, then down to a 250,000th of it.
"""

import math

START = 1 / 25  # of the peak
END = START / 10_000  # of the peak


def one_cycle(step: int, n_steps: int, peak: float, warmup: float) -> float:
    """Return the learning rate of a step.

    Args:
        step: 0 .. n_steps - 1.
        n_steps: Of the whole training.
        peak: The highest rate.
        warmup: Share of the steps before the peak, 0 .. 1.
    """
    top = max(warmup * n_steps - 1, 0)
    if step < top:
        return peak * _between(START, 1, step / top)
    down = n_steps - 1 - top
    return peak * _between(1, END, (step - top) / down if down else 0)


def _between(first: float, last: float, share: float) -> float:
    """Return the point at a share of the way along half a cosine."""
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2
