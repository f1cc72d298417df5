"""The selection rule: of the architectures practically equal to the best mean, the cheapest."""

from collections.abc import Sequence
from typing import NamedTuple

from foldwise.files.comparison import Architecture, Comparison, Pair
from foldwise.files.verdict import Contender
from foldwise.selection.cost import cost_of
from foldwise.selection.metrics import as_loss
from foldwise.selection.statistics import DIGITS, repeats_needed


class Decision(NamedTuple):
    """The chosen architecture, and the numbers that led to it.

    Attributes:
        comparison: Every number.
        contenders: The architectures that finished, best mean first.
        chosen: The architecture to take.
    """

    comparison: Comparison
    contenders: list[Contender]
    chosen: Contender

    @property
    def architecture(self) -> Architecture:
        """The numbers of the chosen architecture."""
        return next(a for a in self.comparison.finished if a.name == self.chosen.name)

    @property
    def best(self) -> Contender:
        """The contender with the best mean."""
        return self.contenders[0]

    @property
    def rival(self) -> Contender | None:
        """The best of the other contenders; None if there is no other."""
        return next((other for other in self.contenders if other is not self.chosen), None)

    @property
    def pair(self) -> Pair | None:
        """The comparison of the chosen architecture with its rival."""
        return self.pair_with(self.rival) if self.rival else None

    @property
    def same_mean(self) -> bool:
        """Whether the means of the chosen architecture and its rival are equal to 12 decimals."""
        return self.pair is not None and not round(self.pair.mean, DIGITS)

    @property
    def repeats_needed(self) -> int | None:
        """Repeats that detect the difference to the rival with a power of 80 %; None if none do."""
        design, pair = self.comparison.design, self.pair
        if pair is None or not pair.std:
            return None
        return repeats_needed(abs(pair.mean) / pair.std, len(design.folds), design.confidence)

    def pair_with(self, contender: Contender) -> Pair | None:
        """Return the comparison of the chosen architecture with a contender."""
        return self.comparison.pair(self.chosen.name, contender.name)


def decide(comparison: Comparison) -> Decision | None:
    """Return which architecture to take; None if none finished.

    It is the cheapest on the Pareto front of the architectures that tie with the best mean.
    Measured costs within 10 % of the lowest count as equal, MACs only if they are equal. Then fewer
    parameters decide, then fewer MACs, then the better mean, then the name.

    Args:
        comparison: Architectures best first.
    """
    if not comparison.finished:
        return None
    contenders, design = _contenders(comparison), comparison.design
    front = [contender for contender in contenders if contender.on_front]
    limit = min(contender.cost for contender in front) * (1 + design.same_cost)
    macs = {architecture.name: architecture.macs for architecture in comparison.architectures}
    chosen = min(
        (contender for contender in front if contender.cost <= limit),
        key=lambda c: (c.parameters, macs[c.name], as_loss(c.mean, design.decides), c.name),
    )
    return Decision(comparison, contenders, chosen)


def _contenders(comparison: Comparison) -> list[Contender]:
    """Return every architecture that finished, with the steps of the rule, best mean first."""
    metric = comparison.design.decides
    contenders = [_contender(a, comparison) for a in comparison.finished]
    tied = {
        c.name: (as_loss(c.mean, metric), round(c.std, DIGITS), c.cost, c.parameters)
        for c in contenders
        if c.tied
    }
    front = [a for a, ours in tied.items() if not any(_dominates(b, ours) for b in tied.values())]
    return [c.model_copy(update={"on_front": c.name in front}) for c in contenders]


def _contender(architecture: Architecture, comparison: Comparison) -> Contender:
    best, scores = comparison.finished[0].scores, architecture.scores
    assert best is not None
    assert scores is not None
    pair = comparison.pair(comparison.finished[0].name, architecture.name)
    equal = pair.equal if pair else 1.0
    return Contender(
        name=architecture.name,
        parameters=architecture.parameters,
        **scores.model_dump(include={"mean", "std"}),
        cost=cost_of(architecture, comparison.design.cost),
        shortfall=abs(best.mean - scores.mean),
        equal=equal,
        different=pair is not None and pair.different,
        tied=pair is None or equal >= comparison.design.sure,
        on_front=False,
    )


def _dominates(first: Sequence[float], second: Sequence[float]) -> bool:
    """Return whether the first is as low in every value, and lower in one (Pareto)."""
    return first != second and all(a <= b for a, b in zip(first, second, strict=True))
