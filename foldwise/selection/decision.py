"""The selection rule: the cheapest architecture that is expected to give up little."""

from typing import NamedTuple

from foldwise.files.comparison import Architecture, Comparison, Pair
from foldwise.files.verdict import Contender, CorrectedScore
from foldwise.selection.cost import cost_of
from foldwise.selection.metrics import as_loss
from foldwise.selection.statistics import DIGITS, error_factor, holm_levels, repeats_needed


class Decision(NamedTuple):
    """The chosen architecture, and the numbers that led to it.

    Attributes:
        comparison: Every number.
        contenders: The architectures that finished, best mean first.
        chosen: The architecture to take.
        score: Its score, corrected for the choice; None: not computed.
    """

    comparison: Comparison
    contenders: list[Contender]
    chosen: Contender
    score: CorrectedScore | None = None

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
        """How many repeats detect the difference to the rival; None if none do.

        More than now, with new folds, with a power of 80 % after Holm's correction.
        """
        design, pairs, pair = self.comparison.design, self.comparison.pairs, self.pair
        if pair is None or not pair.standard_error:
            return None
        k, n_unseen = len(design.folds), self.comparison.n_tests - len(pairs)
        levels = holm_levels([each.p for each in pairs], 1 - design.confidence, n_unseen)
        std = pair.standard_error / error_factor(pair.n, k)  # at least what the images allow
        confidence, more = 1 - levels[pairs.index(pair)], len(design.repeats) + 1
        return repeats_needed(abs(pair.mean) / std, k, confidence, more)

    @property
    def cheaper(self) -> Contender | None:
        """The cheaper one that would give up least, too much by the rule; None: none is cheaper."""
        limit = self.chosen.cost / (1 + self.comparison.design.same_cost)
        others = [c for c in self.contenders if c.cost < limit and not c.within_worth]
        return min(others, key=lambda c: (c.expected_shortfall, c.cost, c.name), default=None)

    def pair_with(self, contender: Contender) -> Pair | None:
        """Return the comparison of the chosen architecture with a contender."""
        return self.comparison.pair(self.chosen.name, contender.name)


def decide(comparison: Comparison) -> Decision | None:
    """Return which architecture to take; None if none finished.

    It is the cheapest of the architectures whose expected shortfall against the best mean is at
    most `compare.worth`. Measured costs within 10 % of the lowest count as equal, MACs only if they
    are equal. Then fewer parameters decide, then fewer MACs, then the better mean, then the name.

    Args:
        comparison: Architectures best first.
    """
    if not comparison.finished:
        return None
    design = comparison.design
    contenders = [_contender(architecture, comparison) for architecture in comparison.finished]
    allowed = [contender for contender in contenders if contender.within_worth]
    limit = min(contender.cost for contender in allowed) * (1 + design.same_cost)
    macs = {architecture.name: architecture.macs for architecture in comparison.architectures}
    chosen = min(
        (contender for contender in allowed if contender.cost <= limit),
        key=lambda c: (c.parameters, macs[c.name], as_loss(c.mean, design.decides), c.name),
    )
    return Decision(comparison, contenders, chosen)


def _contender(architecture: Architecture, comparison: Comparison) -> Contender:
    best, scores = comparison.finished[0].scores, architecture.scores
    assert best is not None
    assert scores is not None
    pair = comparison.pair(comparison.finished[0].name, architecture.name)
    expected = pair.expected_shortfall if pair else 0.0
    return Contender(
        name=architecture.name,
        parameters=architecture.parameters,
        **scores.model_dump(include={"mean", "std"}),
        cost=cost_of(architecture, comparison.design.cost),
        shortfall=abs(best.mean - scores.mean),
        expected_shortfall=expected,
        within_worth=round(expected, DIGITS) <= comparison.design.worth,
        different=pair is not None and pair.different,
    )
