"""The verdict as a short list: what to take and why, how sure, at what cost, what changes it."""

import math
from collections.abc import Iterator
from itertools import groupby

from foldwise.files.comparison import Comparison
from foldwise.files.verdict import Contender, CostUnit, MetricName, Summary, percent
from foldwise.selection.advice import MAX_REPEATS, is_imbalanced, more_images
from foldwise.selection.cost import cost_of, count, describe_costs, machine_differences
from foldwise.selection.decision import Decision, decide
from foldwise.selection.few_steps import few_steps_text
from foldwise.selection.metrics import as_loss
from foldwise.selection.statistics import DIGITS
from foldwise.selection.verdict_text import join_names, unlike_machines

WORTH_DECIMALS = 4  # of `compare.worth` in the text
COST_UNITS: tuple[CostUnit, ...] = ("macs", "latency", "training_seconds")
GUESSES: dict[MetricName, str] = {  # of the baseline; with the other metrics, the largest class
    "log_loss": "predicting the class frequencies",
    "top_k": "always predicting the largest classes",
}
NOTHING = (
    "No other `compare.worth` or `compare.cost` would: only other candidates, images or settings "
    "may."
)


def summarise(decision: Decision, chosen_without: str | None) -> Summary:
    """Return the verdict as a short list.

    Args:
        decision: The choice, with its corrected score.
        chosen_without: The choice without images whose label looks wrong.
    """
    parts = (_other_worth, _other_cost, _rare_classes, _more_data)
    changes = [change for part in parts for change in part(decision)]
    if chosen_without not in (None, decision.chosen.name):
        changes.insert(0, f"Without images whose label looks wrong, it is {chosen_without}.")
    design = decision.comparison.design
    take = f"{decision.chosen.name}, {design.decides.label} {_score(decision)}."
    cautions = [_learned_nothing(decision), unlike_machines(decision.comparison)]
    return Summary(
        take=f"{take} {_baseline(decision)}".rstrip(),
        why=_why(decision),
        sure=" ".join(filter(None, [_sure(decision), *cautions])),
        cost=_cost(decision),
        change=" ".join(changes) or NOTHING,
        longer=few_steps_text(design, len(decision.comparison.architectures)),
    )


def _score(decision: Decision) -> str:
    """Return the corrected score with its interval, and the plain mean."""
    design, score, n = decision.comparison.design, decision.score, len(decision.contenders)
    assert score is not None
    among = str(n) if n == len(decision.comparison.architectures) else f"the {n} that finished"
    interval = f"{score.text} ({design.percent} confidence interval"
    if score.method == "none":
        return f"{interval}, {design.text})"
    plain = f"{decision.chosen.mean:.4f}"
    if plain == f"{score.value:.4f}":
        return f"{interval}, {design.text}; the choice among {among} does not flatter it)"
    plain = f"{plain} as plain mean of {design.text}"
    return f"{interval}, corrected for the choice among {among}; {plain})"


def _baseline(decision: Decision) -> str:
    """Return the distance to the majority baseline, whose calibration is perfect."""
    design, baseline = decision.comparison.design, decision.comparison.baseline
    score = decision.score
    if baseline is None or score is None or design.metric == "calibration_error":
        return ""
    name, value = decision.chosen.name, baseline.metrics[design.metric]
    lead = as_loss(value, design.decides) - as_loss(score.value, design.decides)
    guess = GUESSES.get(design.metric, "always predicting the largest class")
    text = f"the baseline of {value:.4f} ({guess})"
    if lead <= 0:
        return f"{name} is no better than {text}."
    if score.interval[0] <= value <= score.interval[1]:
        return f"{name} is not significantly better than {text}."
    side = "above" if design.decides.higher_is_better else "below"
    return f"{name} is {lead:.4f} {side} {text}."


def _why(decision: Decision) -> str:
    """Return how the rule came to this choice."""
    chosen, best, cheaper = decision.chosen, decision.best, decision.cheaper
    design = decision.comparison.design
    worth = f"`compare.worth={design.worth:g}`"
    if len(decision.contenders) == 1:
        stopped = join_names([a.name for a in decision.comparison.stopped])
        race = stopped and f"; the race stopped {stopped} after the first fold"
        return f"It is the only architecture that can be chosen{race}."
    sentences = [f"{best.name} has the {design.decides.best} mean {design.decides.label}"]
    if chosen is best:
        sentences[0] += "."
    else:
        sentences[0] += f", {best.mean:.4f}."
        sentences.append(
            f"{chosen.name} is {_advantage(decision)}, and is expected to give up "
            f"{_shortfall(chosen)} against it, which {worth} allows."
        )
    if cheaper:
        sentences.append(
            f"{cheaper.name} is cheaper{'' if chosen is best else ' still'}, but is expected to "
            f"give up {_shortfall(cheaper)}, more than {worth} allows."
        )
    return " ".join(sentences)


def _advantage(decision: Decision) -> str:
    """Return why an architecture is chosen that does not have the best mean."""
    chosen, best = decision.chosen, decision.best
    if chosen.cost * (1 + decision.comparison.design.same_cost) < best.cost:
        return "cheaper"
    if chosen.parameters < best.parameters:
        smaller, larger = count(chosen.parameters), count(best.parameters)
        return f"as cheap and smaller ({smaller} instead of {larger} parameters)"
    return "as cheap, with fewer MACs"


def _shortfall(contender: Contender) -> str:
    """Return the expected shortfall with four decimals, or "less than 0.0001"."""
    expected = contender.expected_shortfall
    return f"{expected:.4f}" if expected >= 0.0001 else "less than 0.0001"


def _sure(decision: Decision) -> str:
    """Return the probability of giving up no more than `worth` against the best of the others."""
    pair, rival = decision.pair, decision.rival
    if not pair or not rival:
        if decision.comparison.stopped:
            return "It was compared with the others on the first fold only."
        return "There is no other architecture to compare it with."
    design, leads = decision.comparison.design, pair.first == decision.chosen.name
    sign, differs = "worse" if leads else "better", "" if pair.different else "not "
    difference = f"is {abs(pair.mean):.4f} {sign} on these images ({differs}significant)"
    return (
        f"With probability {percent(1 - (pair.worse if leads else pair.better))}, it gives up no "
        f"more than {design.worth:g} of {design.decides.label} against {rival.name}, the strongest "
        f"alternative, which {'has the same mean' if decision.same_mean else difference}."
    )


def _learned_nothing(decision: Decision) -> str:
    """Return the caution that the chosen architecture has learned nothing about the images."""
    chosen, diagnosis = decision.chosen.name, decision.architecture.diagnosis
    if diagnosis.fit != "constant":
        return ""
    return f"Caution: {chosen} has learned nothing about the images: {diagnosis.evidence}."


def _cost(decision: Decision) -> str:
    """Return the cost of the chosen architecture, and that of the best or of a cheaper one."""
    architecture, unit = decision.architecture, decision.comparison.design.cost
    units: list[CostUnit] = ["macs", "latency"] if unit != "training_seconds" else [*COST_UNITS]
    costs = [describe_costs([cost_of(architecture, each)], each) for each in units]
    text = f"{', '.join(costs)}, and {count(architecture.parameters)} parameters."
    best, cheaper, chosen = decision.best, decision.cheaper, decision.chosen
    if best.cost > chosen.cost:
        more = describe_costs([best.cost, chosen.cost], unit)
        highest = decision.comparison.design.decides.best
        text += f" {best.name}, which has the {highest} mean, would need {more}."
    if cheaper:
        less = describe_costs([cheaper.cost, chosen.cost], unit)
        text += f" {cheaper.name} would need {less}."
    return text


def _other_worth(decision: Decision) -> Iterator[str]:
    """Yield the nearest smaller and larger `compare.worth` with which another one is taken.

    The choice changes at expected shortfalls only. They are rounded up to the decimals of the text,
    and the choice is made anew with each of them, so that the text holds as it is printed.
    """
    comparison, unit = decision.comparison, 10**WORTH_DECIMALS
    expected = [unit * contender.expected_shortfall for contender in decision.contenders]
    firsts = sorted({math.ceil(round(value, DIGITS - WORTH_DECIMALS)) for value in expected})
    groups = groupby(firsts, lambda first: _chosen_with(comparison, worth=first / unit))
    starts = [(name, next(group)) for name, group in groups]
    ends = [*(first - 1 for _, first in starts[1:]), math.inf]
    others = [
        (first / unit, last / unit, name)
        for (name, first), last in zip(starts, ends, strict=True)
        if name != decision.chosen.name
    ]
    is_smaller = [first <= comparison.design.worth for first, _, _ in others]
    nearest = max(sum(is_smaller) - 1, 0)  # the last that is smaller, and the first that is larger
    for first, last, name in others[nearest : sum(is_smaller) + 1]:
        yield f"{_range_of_worth(first, last)}, it is {name}."


def _range_of_worth(first: float, last: float) -> str:
    """Return for example "From `compare.worth=0.0425` on"."""
    low, high = (f"`compare.worth={value:.8g}`" for value in (first, last))
    if first == last:
        return f"With {low}"
    if not first:
        return f"Up to {high}"
    return f"From {low} on" if last == math.inf else f"From {low} to {last:.8g}"


def _other_cost(decision: Decision) -> Iterator[str]:
    """Yield each other `compare.cost` with which another architecture is taken."""
    comparison = decision.comparison
    latencies = [a.latency.machine for a in comparison.architectures]
    machines = {"macs": [], "latency": latencies, "training_seconds": comparison.machines}
    for unit in COST_UNITS:
        if unit != comparison.design.cost and not machine_differences(machines[unit]):
            name = _chosen_with(comparison, cost=unit)
            if name != decision.chosen.name:
                yield f"With `compare.cost={unit}`, it is {name}."


def _chosen_with(comparison: Comparison, **changes: object) -> str:
    """Return which architecture is chosen with other settings."""
    design = comparison.design.model_copy(update=changes)
    decision = decide(comparison.model_copy(update={"design": design}))
    assert decision is not None
    return decision.chosen.name


def _rare_classes(decision: Decision) -> Iterator[str]:
    """Yield which architecture is best if all classes weigh the same, where their sizes differ."""
    comparison = decision.comparison
    if not is_imbalanced(comparison):
        return
    values = {a.name: a.metrics["balanced_accuracy"] for a in comparison.finished if a.metrics}
    name = max(values, key=lambda each: (values[each], each == decision.chosen.name))
    if name != decision.chosen.name:
        yield (
            f"By balanced accuracy, in which rare classes count, {name} has the best mean "
            f"({values[name]:.4f} instead of {values[decision.chosen.name]:.4f})."
        )


def _more_data(decision: Decision) -> Iterator[str]:
    """Yield how to tell it from the rival, if their difference is not significant."""
    pair, rival = decision.pair, decision.rival
    if pair is None or rival is None or pair.different:
        return
    repeats = None if decision.same_mean else decision.repeats_needed
    few = repeats is not None and repeats <= MAX_REPEATS
    how = (
        f"use {repeats} repeats with new folds" if few else more_images(decision.comparison.design)
    )
    yield f"To tell it from {rival.name}: {how}."
