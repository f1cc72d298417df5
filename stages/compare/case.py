"""The choice that was made, as wording and advice see it."""

from collections.abc import Sequence
from typing import NamedTuple

from stages.compare.rule import pair_of
from stages.contracts.comparison import Architecture, Comparison, Pair
from stages.contracts.verdict import Contender, Rule


class Case(NamedTuple):
    """At least one architecture finished.

    Attributes:
        comparison: Every number.
        rule: How the choice was made.
        contenders: Those that finished, best mean first.
        chosen: The one to take.
    """

    comparison: Comparison
    rule: Rule
    contenders: Sequence[Contender]
    chosen: Contender

    @property
    def architecture(self) -> Architecture:
        """The one to take."""
        return next(one for one in self.comparison.architectures if one.name == self.chosen.name)

    @property
    def best(self) -> Contender:
        """Of the best mean."""
        return self.contenders[0]

    @property
    def rival(self) -> Contender | None:
        """With which the choice is compared: the best, or the runner-up to it; None: alone."""
        if self.chosen is not self.best:
            return self.best
        return self.contenders[1] if len(self.contenders) > 1 else None

    @property
    def pair(self) -> Pair | None:
        """What the folds say of the choice and its rival."""
        return self.with_chosen(self.rival.name) if self.rival else None

    @property
    def is_tie(self) -> bool:
        """Whether the choice and its rival are practically equal."""
        return self.rival is not None and self.rival.tied

    def with_chosen(self, name: str) -> Pair | None:
        """Return what the folds say of the choice and another one."""
        return pair_of(self.comparison.pairs, self.chosen.name, name)
