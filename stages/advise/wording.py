"""What is advised, as one reads it."""

from collections.abc import Iterator

from stages.advise.advice import Advice
from stages.advise.budget import seconds
from stages.advise.facts import Facts
from stages.advise.params import AdviseSection
from stages.advise.rules import is_clean
from stages.advise.shortlist import reasons
from stages.contracts.dataset import DatasetInfo
from stages.contracts.forecast import in_words


def page(advice: Advice, info: DatasetInfo, limits: AdviseSection) -> Iterator[str]:
    """Yield all that is advised, line by line.

    Args:
        advice: What to compare.
        info: Of the data set.
        limits: The thresholds.
    """
    yield from _data(advice.facts, info, limits)
    yield ""
    yield from _proposals(advice)
    for title, lines in (("Also set", advice.settings), ("Not proposed", list(_left_out(advice)))):
        if lines:
            yield from ("", f"{title}:", *(f"- {line}" for line in lines))


def _data(facts: Facts, info: DatasetInfo, limits: AdviseSection) -> Iterator[str]:
    """Yield what the data and the machine are like, and what follows for all proposals."""
    colours = "1 channel" if facts.channels == 1 else f"{facts.channels} channels"
    yield (
        f"{info.name}: {facts.n_images:,} images of {info.height}×{info.width} px, {colours}, "
        f"{facts.n_classes} classes of {facts.per_class:,.0f} on average, at least "
        f"{facts.smallest_class:,}"
    )
    sort = "no photos" if is_clean(facts, limits) else "photos"
    yield (
        f"- {sort}: {_percent(facts.background)} of an image has one value; lossless compression "
        f"leaves {_percent(facts.compressed)} of the bytes"
    )
    yield f"- {'a GPU' if facts.has_gpu else 'no GPU'}"
    yield from (f"- {reason}" for reason in reasons(facts, limits))


def _proposals(advice: Advice) -> Iterator[str]:
    """Yield the proposals, each with what it takes and why it is one, and the sum."""
    plan, design = advice.plan, advice.plan.design
    for number, one in enumerate(plan.proposals, 1):
        yield f"{number}. {one.idea.name}, about {in_words(seconds([one], design))}"
        yield f"   because: {one.idea.because};"
        yield f"   {one.halvings}"
    repeats = "1 repeat" if design.n_repeats == 1 else f"{design.n_repeats} repeats"
    yield (
        f"In all about {in_words(seconds(plan.proposals, design))}: {repeats} × {design.n_folds} "
        f"folds × {design.epochs} epochs, {design.n_images:,} images"
    )


def _left_out(advice: Advice) -> Iterator[str]:
    """Yield what is not proposed, and why."""
    yield from (f"{one.name}: {one.reason}" for one in advice.refused)
    for one in advice.plan.dropped:
        time = in_words(seconds([one], advice.plan.design))
        yield f"{one.idea.name}: about {time}, too slow for advise.budget_minutes"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
