"""From the data and the parameters to what is advised."""

from collections.abc import Iterator
from dataclasses import dataclass

from foldwise.engine.hardware import Hardware
from foldwise.files.dataset import Dataset, DatasetInfo
from foldwise.files.forecast import format_duration
from foldwise.files.params import AdviseParams, AdviseSection
from foldwise.plan.budget import ComparisonSize, Plan, fit_budget, for_data, seconds, within_budget
from foldwise.plan.facts import Facts, is_clean, measure_facts
from foldwise.plan.ideas import rename
from foldwise.plan.propose import LeftOut, propose
from foldwise.plan.shortlist import reasons, shortlist
from foldwise.plan.throughput import measure_throughput
from foldwise.plan.trial import make


@dataclass(frozen=True)
class Advice:
    """What to compare.

    Attributes:
        facts: Of the data and the machine.
        plan: The proposals that fit into the budget.
        refused: What was tried before them and is not for these data or this machine.
        settings: Other keys of params.yaml to change, and why.
    """

    facts: Facts
    plan: Plan
    refused: list[LeftOut]
    settings: list[str]


def advise(dataset: Dataset, params: AdviseParams, hardware: Hardware) -> Advice:
    """Return two or three proposals that fit the data, the machine and the budget.

    Args:
        dataset: The prepared images.
        params: The thresholds, and how much would be trained.
        hardware: Where, set up.

    Raises:
        InputError: If fewer than two architectures fit.
    """
    limits, defined = params.advise, params.build.architectures
    facts = measure_facts(dataset, has_gpu=hardware.device.type == "cuda")
    ideas = [rename(one, defined) for one in shortlist(facts, limits, params.train)]
    proposals, refused = propose(
        ideas,
        lambda idea: make(idea, params.build, dataset.info),
        lambda network: measure_throughput(network, dataset.info, params, hardware),
        facts,
        limits,
    )
    given = ComparisonSize(
        facts.n_images, len(params.repeats), len(params.folds), params.train.epochs
    )
    plan = fit_budget(proposals, given, limits)
    settings = [
        *within_budget(plan, given, limits),
        *for_data(plan, facts, params.augment, limits),
    ]
    return Advice(facts, plan, refused, settings)


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
        yield f"{number}. {one.idea.name}, about {format_duration(seconds([one], design))}"
        yield f"   because: {one.idea.because};"
        yield f"   {one.halvings}"
    repeats = "1 repeat" if design.n_repeats == 1 else f"{design.n_repeats} repeats"
    duration = format_duration(seconds(plan.proposals, design))
    yield (
        f"In all about {duration}: {repeats} × {design.n_folds} folds × {design.epochs} epochs, "
        f"{design.n_images:,} images"
    )


def _left_out(advice: Advice) -> Iterator[str]:
    """Yield what is not proposed, and why."""
    yield from (f"{one.name}: {one.reason}" for one in advice.refused)
    for one in advice.plan.dropped:
        time = format_duration(seconds([one], advice.plan.design))
        yield f"{one.idea.name}: about {time}, too slow for advise.budget_minutes"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
