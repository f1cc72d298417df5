"""From the comparison to what to take, why, and what to try next."""

from collections.abc import Mapping

from stages.compare.advice import next_steps
from stages.compare.case import Case
from stages.compare.rule import choose, contend, rule_of
from stages.compare.wording import nothing_to_take, verdict_text
from stages.contracts.card import Card
from stages.contracts.comparison import Comparison
from stages.contracts.verdict import Verdict


def conclude(comparison: Comparison, cards: Mapping[str, Card]) -> Verdict:
    """Return the verdict, with every number that led there.

    Args:
        comparison: Architectures best first.
        cards: Of every architecture, by name.
    """
    rule = rule_of(comparison)
    contenders = contend(comparison, rule)
    chosen = choose(contenders, comparison, rule) if contenders else None
    case = Case(comparison, rule, contenders, chosen) if chosen else None
    best, runner_up, *_ = [*(one.name for one in contenders), None, None]
    return Verdict(
        rule=rule,
        best=best,
        chosen=chosen.name if chosen else None,
        runner_up=runner_up,
        contenders=contenders,
        text=verdict_text(case) if case else nothing_to_take(comparison),
        next=next_steps(comparison, case, cards),
    )
