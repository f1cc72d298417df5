"""The verdict as one paragraph of plain English."""

from collections.abc import Sequence

from foldwise.core.errors import counted, first_few
from foldwise.files.comparison import Comparison, Pair
from foldwise.files.verdict import Contender, percent
from foldwise.selection.cost import cost_of, count, describe_costs, machine_differences
from foldwise.selection.decision import Decision
from foldwise.selection.metrics import as_loss

MOST_NAMED = 6  # architectures in a sentence; the tables have all
GROUPS = ("Significantly better", "Significantly worse", "Not significantly different")


def verdict_text(comparison: Comparison, decision: Decision | None) -> str:
    """Return which architecture to take, how sure that is, why, and what it costs.

    The text never calls the best mean better without the comparison with the rival.

    Args:
        comparison: Every number.
        decision: How the choice was made; None if no architecture finished.
    """
    fair, kept_out = comparison.without_kept_out(), _kept_out(comparison)
    failed = join_names([a.name for a in fair.diverged])
    unlike = machine_differences(comparison.machines)
    differences = unlike and (
        f"Caution: the folds were trained on unlike machines or versions ({unlike}), so "
        "differences of the scores may come from them."
    )
    if decision is None:
        which = "architecture that may be chosen" if kept_out else "architecture"
        reason = f"no {which} finished all of its folds"
        diverged = failed and f"Training diverged: {failed}."
        text = (f"Nothing can be chosen: {reason}.", diverged, kept_out, differences)
        return " ".join(filter(None, text))
    parts = (
        _choice,
        learned_nothing,
        baseline_text,
        _cheaper,
        _rival,
        _others,
        _before,
        _cost,
    )
    choice, *sentences = [part(decision) for part in parts]
    sentences.append(failed and f"Without a score because training diverged: {failed}.")
    return " ".join(filter(None, [choice, differences, *sentences, kept_out]))


def _kept_out(comparison: Comparison) -> str:
    """Return which architectures cannot be chosen, and why; "" if all can."""
    return " ".join(
        f"{a.name} is kept out of the choice, because its weights had seen "
        f"{counted(a.seen_images, 'image')} of this data set before the training, which biases "
        "its scores upwards."
        for a in comparison.kept_out
    )


def join_names(names: Sequence[str]) -> str:
    """Return "", "a", "a and b" or "a, b and c"; of more than six names, the first five."""
    if len(names) > MOST_NAMED:
        return first_few(names, MOST_NAMED - 1)
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def score_text(decision: Decision) -> str:
    """Return the corrected score with its interval, and the plain mean."""
    design, score, n = decision.comparison.design, decision.score, len(decision.contenders)
    assert score is not None
    interval = f"{score.text} ({design.percent} confidence interval"
    if score.method == "none":
        return f"{interval}, {design.text})"
    plain = f"{decision.chosen.mean:.4f}"
    if plain == f"{score.value:.4f}":
        return f"{interval}, {design.text}; the choice among {n} does not flatter it)"
    return (
        f"{interval}, corrected for the choice among {n}; {plain} as plain mean of {design.text})"
    )


def _choice(decision: Decision) -> str:
    design, score = decision.comparison.design, score_text(decision)
    chosen, label, best = decision.chosen, design.decides.label, design.decides.best
    if decision.rival is None:
        return (
            f"Take {chosen.name}, the only architecture that can be chosen: mean {label} {score}. "
            "There is no other to compare it with."
        )
    if chosen is decision.best:
        return f"Take {chosen.name}: it has the {best} mean {label}, {score}."
    return (
        f"Take {chosen.name}: its mean {label} is {score}, it is {_advantage(decision)}, and it is "
        f"expected to give up {shortfall(chosen)} of {label} (compare.worth allows "
        f"{design.worth:g}) against {decision.best.name}, which has the {best} mean, "
        f"{decision.best.mean:.4f}."
    )


def shortfall(contender: Contender) -> str:
    """Return the expected shortfall with four decimals, or "less than 0.0001"."""
    expected = contender.expected_shortfall
    return f"{expected:.4f}" if expected >= 0.0001 else "less than 0.0001"


def _cheaper(decision: Decision) -> str:
    """Return which cheaper architecture would give up too much."""
    other, design = decision.cheaper, decision.comparison.design
    if other is None:
        return ""
    cost = describe_costs([other.cost, decision.chosen.cost], design.cost)
    return (
        f"{other.name} is cheaper ({cost}), but is expected to give up {shortfall(other)} of "
        f"{design.decides.label}, more than compare.worth allows ({design.worth:g})."
    )


def _advantage(decision: Decision) -> str:
    """Return why an architecture is chosen that does not have the best mean."""
    chosen, best, design = decision.chosen, decision.best, decision.comparison.design
    if chosen.cost * (1 + design.same_cost) < best.cost:
        return f"cheaper: {describe_costs([chosen.cost, best.cost], design.cost)}"
    if chosen.parameters < best.parameters:
        smaller, larger = count(chosen.parameters), count(best.parameters)
        return f"as cheap and smaller: {smaller} parameters instead of {larger}"
    return "as cheap, with fewer MACs"


def learned_nothing(decision: Decision) -> str:
    """Return the caution that the chosen architecture has learned nothing about the images."""
    chosen, diagnosis = decision.chosen.name, decision.architecture.diagnosis
    if diagnosis.fit != "constant":
        return ""
    return f"Caution: {chosen} has learned nothing about the images: {diagnosis.evidence}."


def baseline_text(decision: Decision) -> str:
    """Return the distance to the majority baseline, whose calibration is perfect."""
    design, baseline = decision.comparison.design, decision.comparison.baseline
    scores = decision.architecture.scores
    if baseline is None or scores is None or design.metric == "calibration_error":
        return ""
    name, value = decision.chosen.name, baseline.metrics[design.metric]
    lead = as_loss(value, design.decides) - as_loss(scores.mean, design.decides)
    text = f"the baseline of {value:.4f} (always predicting the largest class)"
    if lead <= 0:
        return f"{name} is no better than {text}."
    if scores.interval[0] <= value <= scores.interval[1]:
        return f"{name} is not significantly better than {text}."
    side = "above" if design.decides.higher_is_better else "below"
    return f"{name} is {lead:.4f} {side} {text}."


def _rival(decision: Decision) -> str:
    """Return the difference to the rival with its interval, its probabilities and its p-value."""
    pair, rival, design = decision.pair, decision.rival, decision.comparison.design
    if pair is None or rival is None:
        return ""
    if decision.same_mean:
        text = f"{rival.name} has the same mean"
    elif decision.chosen is decision.best:
        text = f"The second best is {rival.name}, {abs(pair.mean):.4f} worse"
    else:
        text = f"{decision.chosen.name} is {abs(pair.mean):.4f} worse than {rival.name}"
    low, high = pair.interval  # of how much better the first of the pair is
    if not design.decides.higher_is_better:
        low, high = -high, -low
    p = "p < 0.001" if pair.p_holm < 0.001 else f"p = {pair.p_holm:.2g}"
    n_pairs = decision.comparison.n_tests
    holm = "" if n_pairs == 1 else f", adjusted by Holm for {n_pairs} pairs"
    better, equal, worse = map(percent, (pair.better, pair.equal, pair.worse))
    if pair.first != decision.chosen.name:
        better, worse = worse, better
    return (
        f"{text} ({design.percent} confidence interval {low:.4f} to {high:.4f}; {p}{holm}). "
        f"{decision.chosen.name} is better by more than {design.worth:g} with probability "
        f"{better}, practically equal with probability {equal}, and worse with probability "
        f"{worse}. {_significance(decision, pair)}"
    ).rstrip()


def _significance(decision: Decision, pair: Pair) -> str:
    if pair.different:
        but = "" if decision.chosen is decision.best else ", but small enough for the lower cost"
        return f"The difference is significant{but}."
    text, repeats = "The difference is not significant", decision.repeats_needed
    if decision.same_mean:
        return f"{text}."
    if pair.p <= 1 - decision.comparison.design.confidence:
        n = decision.comparison.n_tests
        return f"{text}, counting all {n} pairs; the probabilities look at this pair alone."
    if repeats is None:
        cannot = "no number of repeats would reliably detect a difference of this size"
        return f"{text}, and {cannot}, because repeats share their images."
    return f"{text}; {repeats} repeats would detect a difference of this size with a power of 80 %."


def _others(decision: Decision) -> str:
    """Return which of the other contenders differ significantly from the chosen one."""
    groups: dict[str, list[str]] = {group: [] for group in GROUPS}
    for contender in decision.contenders:
        pair = decision.pair_with(contender)
        if pair is None or contender is decision.rival:
            continue
        group = "worse" if pair.first == decision.chosen.name else "better"
        key = f"Significantly {group}" if pair.different else "Not significantly different"
        groups[key].append(contender.name)
    return " ".join(f"{group}: {join_names(names)}." for group, names in groups.items() if names)


def _before(decision: Decision) -> str:
    """Return which architectures without a score here count in the tests."""
    before, n = decision.comparison.design.compared_before, decision.comparison.n_tests
    stopped = [a.name for a in decision.comparison.stopped]
    reasons = [
        f"{join_names(names)} {'was' if len(names) == 1 else 'were'} {what}"
        for names, what in (
            (decision.pair and before, "compared on these folds before"),
            (stopped, "stopped after the first fold"),
        )
        if names
    ]
    text = " and ".join(reasons)
    if decision.pair is None or not text:
        return text and f"{text}."
    return f"Holm's correction counts {n} pairs, because {text}."


def _cost(decision: Decision) -> str:
    """Return size and MACs, and the measured cost only if it decides."""
    architecture, unit = decision.architecture, decision.comparison.design.cost
    measured = "" if unit == "macs" else describe_costs([cost_of(architecture, unit)], unit)
    return (
        f"{architecture.name} has {count(architecture.parameters)} parameters and needs "
        f"{count(architecture.macs)} MACs (multiply-accumulate operations) per image"
        f"{measured and ', and '}{measured}."
    )
