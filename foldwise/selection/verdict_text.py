"""The statistics of the verdict as one paragraph of plain English."""

from collections.abc import Sequence

from foldwise.core.errors import counted, first_few
from foldwise.files.comparison import Comparison, Pair
from foldwise.files.verdict import percent
from foldwise.selection.cost import machine_differences
from foldwise.selection.decision import Decision

MOST_NAMED = 6  # architectures in a sentence; the tables have all
GROUPS = ("Significantly better", "Significantly worse", "Not significantly different")


def verdict_text(comparison: Comparison, decision: Decision | None) -> str:
    """Return how the chosen architecture compares with the others, and which could not be chosen.

    Args:
        comparison: Every number.
        decision: How the choice was made; None if no architecture finished.
    """
    kept_out = _kept_out(comparison)
    failed = join_names([a.name for a in comparison.without_kept_out().diverged])
    if decision is None:
        which = "architecture that may be chosen" if kept_out else "architecture"
        reason = f"Nothing can be chosen: no {which} finished all of its folds."
        diverged = failed and f"Training diverged: {failed}."
        return " ".join(filter(None, [reason, diverged, kept_out, unlike_machines(comparison)]))
    sentences = [part(decision) for part in (_rival, _others, _before)]
    sentences.append(failed and f"Without a score because training diverged: {failed}.")
    return " ".join(filter(None, [*sentences, kept_out]))


def unlike_machines(comparison: Comparison) -> str:
    """Return the caution that the folds ran on unlike machines; "" if they did not."""
    unlike = machine_differences(comparison.machines)
    return unlike and (
        f"Caution: the folds were trained on unlike machines or versions ({unlike}), so "
        "differences of the scores may come from them."
    )


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
    detect = "would detect a difference of this size with a power of 80 %"
    return f"{text}; {repeats} repeats with new folds {detect}."


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
    """Return which architectures and versions without a score here count in the tests."""
    design, n = decision.comparison.design, decision.comparison.n_tests
    before = design.compared_before if decision.pair else []
    stopped = [a.name for a in decision.comparison.stopped]
    reasons = [
        f"{join_names(names)} {'was' if count == 1 else 'were'} {what}"
        for names, count, what in (
            (design.others, len(before), "compared on these folds before"),
            (stopped, len(stopped), "stopped after the first fold"),
        )
        if count
    ]
    text = " and ".join(reasons)
    if decision.pair is None or not text:
        return text and f"{text}."
    return f"Holm's correction counts {n} pairs, because {text}."
