"""Numbers and names as they stand in a sentence."""

from collections.abc import Sequence

from stages.contracts.comparison import Design, Pair
from stages.contracts.verdict import Contender, Rule


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
