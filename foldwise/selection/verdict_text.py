"""Numbers and names as they stand in a sentence."""

from collections.abc import Sequence

from foldwise.files.comparison import Comparison, Design, Pair
from foldwise.files.verdict import Contender, Rule
from foldwise.selection.decision import VerdictContext
from foldwise.selection.metrics import lower_is_better
from foldwise.selection.power import repeats_to_find
from foldwise.selection.statistics import DIGITS


def listed(names: Sequence[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def chance(share: float) -> str:
    """Return a probability in percent that is never put as certain."""
    if share > 0.99:
        return "over 99 %"
    return "under 1 %" if share < 0.01 else f"{100 * share:.0f} %"


def sureness(pair: Pair, design: Design, n_pairs: int) -> str:
    """Return the interval of by how much the first of a pair is better, and its p-value.

    Args:
        pair: Two architectures.
        design: What was compared.
        n_pairs: Over which Holm counted.
    """
    low, high = pair.interval
    if not design.decides.higher_is_better:
        low, high = -high, -low
    p = "p < 0.001" if pair.p_holm < 0.001 else f"p = {pair.p_holm:.2g}"
    holm = "" if n_pairs == 1 else f" after Holm over {n_pairs} pairs"
    return f"{design.percent} interval {low:.4f} to {high:.4f}; {p}{holm}"


def count(number: int) -> str:
    """Return "5,000" or "11.2 million"."""
    if number < 10**6:
        return f"{number:,}"
    return f"{number / 10**6:,.1f} million" if number < 10**9 else f"{number / 10**9:,.1f} billion"


def costs(contenders: Sequence[Contender], rule: Rule) -> str:
    """Return what decides between those that tie: "3 s" or "3 s rather than 20 s", and of what."""
    if rule.cost == "seconds_per_epoch":
        amounts, unit = [f"{one.cost:.3g} s" for one in contenders], "of training an epoch"
    else:
        amounts, unit = [count(round(one.cost)) for one in contenders], "multiply-adds an image"
    return f"{' rather than '.join(amounts)} {unit}"


MUCH_CHEAPER = 2  # times
AS_GOOD = 0.5  # probability from which a much cheaper one is worth naming
FLATTERING = 3  # architectures: the best of so many is picked for its luck, too


def nothing_to_take(comparison: Comparison) -> str:
    """Return the verdict on architectures none of which finished."""
    failed = listed([one.name for one in comparison.architectures])
    return (
        "Nothing can be chosen: no architecture finished all of its folds. "
        f"Training diverged: {failed}."
    )


def verdict_text(case: VerdictContext) -> str:
    """Return one paragraph: what to take, how sure that is, why, and what it costs.

    "Best mean" is never put as "surely better": what the folds say of the choice and its rival
    is said, too.
    """
    failed = [one.name for one in case.comparison.architectures if one.scores is None]
    sentences = [_choice(case), _baseline(case), *_rivalry(case), _others(case)]
    sentences += [_flattery(case), _cost(case), _cheaper(case)]
    if failed:
        sentences.append(f"Diverged, hence without a score: {listed(failed)}.")
    return " ".join(sentence for sentence in sentences if sentence)


def _choice(case: VerdictContext) -> str:
    design, chosen, scores = case.comparison.design, case.chosen, case.architecture.scores
    assert scores is not None
    label = design.decides.label
    score = f"{scores.text} ({design.percent} interval, {design.text})"
    if case.rival is None:
        return (
            f"Take {chosen.name}, the only architecture with a score: mean {label} {score}. "
            "Nothing else says whether another would do better."
        )
    if chosen is not case.best:
        return (
            f"Take {chosen.name}: its mean {label}, {score}, is practically equal to the "
            f"{case.rule.best}, {case.best.mean:.4f} of {case.best.name}, and it is "
            f"{_preference(case)}."
        )
    tied = [one.name for one in case.contenders if one.tied and one is not chosen]
    text = f"Take {chosen.name}: it has the {case.rule.best} mean {label}, {score}"
    if tied:
        less = f"costs over {100 * case.rule.same_cost:.0f} % less"
        text += f", and of those practically equal to it ({listed(tied)}) none {less}"
    return f"{text}."


def _preference(case: VerdictContext) -> str:
    """Return why one that ties is taken instead of the best."""
    chosen, best, same = case.chosen, case.best, 1 + case.rule.same_cost
    if chosen.cost * same < best.cost:
        return f"cheaper: {costs([chosen, best], case.rule)}"
    if chosen.parameters < best.parameters:
        own, others = count(chosen.parameters), count(best.parameters)
        return f"as cheap and smaller: {own} parameters rather than {others}"
    if round(chosen.std, DIGITS) < round(best.std, DIGITS):
        return f"as cheap and steadier: std {chosen.std:.4f} rather than {best.std:.4f}"
    return "as cheap, with fewer multiply-adds"


def _baseline(case: VerdictContext) -> str:
    """Return how far the choice is from the majority baseline, which is perfectly calibrated."""
    design, baseline, scores = (
        case.comparison.design,
        case.comparison.baseline,
        case.architecture.scores,
    )
    if baseline is None or scores is None or design.metric == "calibration_error":
        return ""
    value = baseline.metrics[design.metric]
    lead = lower_is_better(value, design.decides) - lower_is_better(scores.mean, design.decides)
    guess = f"{value:.4f} of always saying the largest class"
    if lead <= 0:
        return f"That is no better than the {guess}."
    if scores.interval[0] <= value <= scores.interval[1]:
        return f"It is not surely better than the {guess}."
    side = "above" if design.decides.higher_is_better else "below"
    return f"That is {lead:.4f} {side} the {guess}."


def _rivalry(case: VerdictContext) -> list[str]:
    """Return how the choice and its rival compare, and whether the folds tell them apart."""
    pair, rival = case.pair, case.rival
    if pair is None or rival is None:
        return []
    if not round(pair.mean, DIGITS):
        text = f"{rival.name} has the same mean"
    elif case.chosen is case.best:
        text = f"Second is {rival.name}, {abs(pair.mean):.4f} behind"
    else:
        text = f"It is {abs(pair.mean):.4f} behind {rival.name}"
    sure = sureness(pair, case.comparison.design, len(case.comparison.pairs))
    return [f"{text} ({sure}).", _odds(case, pair), _separation(case, pair)]


def _odds(case: VerdictContext, pair: Pair) -> str:
    better, worse = pair.better, pair.worse
    if pair.first != case.chosen.name:
        better, worse = worse, better
    return (
        f"{case.chosen.name} is better by more than {case.rule.rope:g} with probability "
        f"{chance(better)}, practically equal with {chance(pair.equal)}, and worse with "
        f"{chance(worse)}."
    )


def _separation(case: VerdictContext, pair: Pair) -> str:
    if case.is_tie:
        return "These folds tell the two apart, but by less than matters." if pair.different else ""
    if pair.different:
        return "These folds tell the two apart."
    if pair.p <= 1 - case.comparison.design.confidence:
        n = len(case.comparison.pairs)
        return f"Alone the two would be told apart; as one of {n} pairs they are not."
    return f"These folds do not tell the two apart{_repeats(case, pair)}."


def _repeats(case: VerdictContext, pair: Pair) -> str:
    if not round(pair.mean, DIGITS):
        return ""
    design = case.comparison.design
    needed = repeats_to_find(abs(pair.mean) / pair.std, len(design.folds), design.confidence)
    if needed is None:
        return (
            ", and no number of repeats would reliably find a difference of that size, since "
            "repeats share their images"
        )
    return f"; {needed} repeats would find a difference of that size with a power of 80 %"


def _others(case: VerdictContext) -> str:
    """Return which of the others these folds tell from the choice."""
    others = [one.name for one in case.contenders if one not in (case.chosen, case.rival)]
    different = [n for n in others if (pair := case.with_chosen(n)) and pair.different]
    alike = [name for name in others if name not in different]
    said = [f"told from it: {listed(different)}"] if different else []
    said += [f"not told from it: {listed(alike)}"] if alike else []
    return f"Of the others, {'; '.join(said)}." if said else ""


def _flattery(case: VerdictContext) -> str:
    n = len(case.contenders)
    if n < FLATTERING or case.chosen is not case.best:
        return ""
    return f"Being picked as the best of {n} on these folds flatters its own mean a little."


def _cost(case: VerdictContext) -> str:
    one = case.architecture
    assert one.cost is not None
    return (
        f"{one.name} takes {one.cost.seconds_per_epoch:.3g} s of training an epoch, has "
        f"{count(one.parameters)} parameters and needs {count(one.macs)} multiply-adds "
        "an image."
    )


def _cheaper(case: VerdictContext) -> str:
    """Return the cheapest one that may well be as good, at half of the cost or less."""
    for one in sorted(case.contenders, key=lambda one: (one.cost, one.name)):
        pair = case.with_chosen(one.name)
        if pair is None or one.cost * MUCH_CHEAPER > case.chosen.cost:
            continue
        as_good = pair.equal + (pair.better if pair.first == one.name else pair.worse)
        if as_good >= AS_GOOD:
            return (
                f"{one.name} costs at most half ({costs([one], case.rule)}) and is as good or "
                f"better with probability {chance(as_good)}."
            )
    return ""
