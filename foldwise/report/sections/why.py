"""Why this one: the rule, step by step."""

from collections.abc import Sequence

from foldwise.files.verdict import METRICS, Contender, Verdict
from foldwise.report.blocks import Line, Paragraph, Section, Strong, Table
from foldwise.report.findings import ReportInputs
from foldwise.report.numbers import probability, score, seconds, short
from foldwise.report.sections.architectures import named

COSTS = {  # how each cost of a rule is called
    "seconds_per_epoch": "s / epoch",
    "macs": "multiply-adds",
}


def why(findings: ReportInputs) -> Section | None:
    """Return what every step of the rule leaves, and its numbers; None: nothing to choose."""
    verdict = findings.verdict
    if verdict.chosen is None:
        return None
    if len(verdict.contenders) == 1:
        only = "It is the only architecture that finished, so there was nothing to choose between."
        return Section("Why", [Paragraph(only)])
    words = (
        "P equal is the probability of being practically equal to the best. Differs says whether "
        "it is significantly different from the best, after Holm over all pairs."
    )
    return Section("Why", [_steps(findings), _contenders(findings), Paragraph(words)])


def _steps(findings: ReportInputs) -> Table:
    verdict, label = findings.verdict, findings.comparison.design.decides.label
    rule, every = verdict.rule, verdict.contenders
    tied = [one for one in every if one.tied]
    sure = f"practically equal to it (within {rule.rope:g}) with probability {rule.sure:g} or more"
    rows: list[list[Line]] = [
        ["1. best", f"the {rule.best} mean {label}", _names([verdict.contenders[0]])],
        ["2. tied", f"those {sure}", _names(tied)],
        ["3. front", _front(label), _names([one for one in tied if one.on_front])],
        ["4. cheapest", _cheapest(verdict), Strong(verdict.chosen or "")],
    ]
    return Table("The rule, step by step", ("step", "rule", "leaves"), rows, n_text=3)


def _names(left: Sequence[Contender]) -> str:
    return ", ".join(one.name for one in left)


def _front(label: str) -> str:
    return (
        f"of these, whatever no other one matches in {label}, stability, cost and size while "
        "it is better in one of them"
    )


def _cheapest(verdict: Verdict) -> str:
    cost = {
        "seconds_per_epoch": "fewest seconds an epoch",
        "macs": "fewest multiply-adds, since the machines differ",
    }[verdict.rule.cost]
    same = 100 * verdict.rule.same_cost
    return f"of these, the one with the {cost}; within {same:g} %, with the fewest parameters"


def _contenders(findings: ReportInputs) -> Table:
    rule = findings.verdict.rule
    label = METRICS[rule.metric].label if rule.metric != "top_k" else "top-k"
    header = ("architecture", "tied", "on the front", "differs", f"{label} behind", "P equal")
    rows: list[list[Line]] = [
        [
            named(findings, one.name),
            _yes(one.tied),
            _yes(one.on_front) if one.tied else "–",
            _yes(one.different),
            score(one.behind),
            probability(one.equal),
            seconds(one.cost) if rule.cost == "seconds_per_epoch" else short(one.cost),
        ]
        for one in findings.verdict.contenders
    ]
    return Table(
        "The numbers behind it",
        (*header, COSTS[rule.cost]),
        rows,
        n_text=4,
    )


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"
