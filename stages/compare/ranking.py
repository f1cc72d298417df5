"""Which is first, in an order that no order of the candidates changes."""

from collections.abc import Iterable, Mapping

from stages.compare.corrected import DIGITS
from stages.contracts.comparison import Architecture
from stages.contracts.metrics import Metric


def best_first(architectures: Iterable[Architecture], metric: Metric) -> list[Architecture]:
    """Return the architectures by their mean; the order given does not matter.

    Of equal means (to twelve decimals) the one with the fewest multiply-adds comes first, then
    the one whose name does. Those that failed come last, by name.
    """
    return sorted(architectures, key=lambda one: _place(one, metric))


def lower_is_better(value: float, metric: Metric) -> float:
    """Return a value of which the lowest is the best, without rounding errors."""
    return round(-value if metric.higher_is_better else value, DIGITS)


def ranks(values: Mapping[str, float]) -> dict[str, int]:
    """Return the rank of each value, 1 for the lowest; equal ones (to twelve decimals) share it."""
    rounded = {name: round(value, DIGITS) for name, value in values.items()}
    return {
        name: 1 + sum(other < value for other in rounded.values())
        for name, value in rounded.items()
    }


def _place(architecture: Architecture, metric: Metric) -> tuple[bool, float, int, str]:
    if architecture.scores is None:
        return True, 0, 0, architecture.name
    mean = lower_is_better(architecture.scores.mean, metric)
    return False, mean, architecture.multiply_adds, architecture.name
