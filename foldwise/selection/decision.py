"""Which architecture to take: best mean; the practically equal ones tie; the cheapest of these."""

from collections.abc import Sequence
from typing import NamedTuple

from foldwise.files.comparison import Architecture, Comparison, Pair
from foldwise.files.verdict import Contender, Rule
from foldwise.selection.metrics import lower_is_better
from foldwise.selection.statistics import DIGITS

SAME_COST = 0.1  # timings of one machine vary by as much from run to run


def rule_of(comparison: Comparison) -> Rule:
    """Return how the choice is made; the clock counts only where all ran on one machine."""
    design = comparison.design
    return Rule(
        metric=design.metric,
        best="highest" if design.decides.higher_is_better else "lowest",
        rope=design.rope,
        sure=design.sure,
        cost="seconds_per_epoch" if len(comparison.machines) == 1 else "macs",
        same_cost=SAME_COST,
    )


def list_contenders(comparison: Comparison, rule: Rule) -> list[Contender]:
    """Return every architecture that finished on its way through the rule, best mean first."""
    finished = [one for one in comparison.architectures if one.scores is not None]
    contenders = [_contender(one, finished[0], comparison, rule) for one in finished]
    tied = [one for one in contenders if one.tied]
    return [
        one.model_copy(
            update={"on_front": one.tied and not any(_dominates(a, one, comparison) for a in tied)}
        )
        for one in contenders
    ]


def choose(contenders: Sequence[Contender], comparison: Comparison, rule: Rule) -> Contender:
    """Return the one to take of those on the front.

    The cheapest; costs within `same_cost` of it count as equal, and then fewer parameters decide,
    then fewer multiply-adds, then the better mean, then the name. The order given never does.

    Args:
        contenders: At least one.
        comparison: Every number.
        rule: How to choose.
    """
    front = [one for one in contenders if one.on_front]
    limit = min(one.cost for one in front) * (1 + rule.same_cost)
    macs = {one.name: one.macs for one in comparison.architectures}
    return min(
        (one for one in front if one.cost <= limit),
        key=lambda one: (
            one.parameters,
            macs[one.name],
            lower_is_better(one.mean, comparison.design.decides),
            one.name,
        ),
    )


def pair_of(pairs: Sequence[Pair], one: str, other: str) -> Pair | None:
    """Return what the folds say of two architectures; None for one and the same."""
    return next((pair for pair in pairs if {pair.first, pair.second} == {one, other}), None)


def _contender(
    one: Architecture, best: Architecture, comparison: Comparison, rule: Rule
) -> Contender:
    assert one.scores is not None
    assert one.cost is not None
    assert best.scores is not None
    pair = pair_of(comparison.pairs, best.name, one.name)
    equal = pair.equal if pair else 1.0
    by_clock = rule.cost == "seconds_per_epoch"
    return Contender(
        name=one.name,
        mean=one.scores.mean,
        std=one.scores.std,
        cost=one.cost.seconds_per_epoch if by_clock else float(one.macs),
        parameters=one.parameters,
        stability_rank=one.scores.stability_rank,
        behind=abs(best.scores.mean - one.scores.mean),
        equal=equal,
        different=pair is not None and pair.different,
        tied=pair is None or equal >= rule.sure,
        on_front=False,
    )


def _dominates(one: Contender, other: Contender, comparison: Comparison) -> bool:
    """Return whether one is as good as another in everything, and better in something."""
    ours, theirs = (
        (
            lower_is_better(contender.mean, comparison.design.decides),
            round(contender.std, DIGITS),
            contender.cost,
            contender.parameters,
        )
        for contender in (one, other)
    )
    return ours != theirs and all(a <= b for a, b in zip(ours, theirs, strict=True))


class VerdictContext(NamedTuple):
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
