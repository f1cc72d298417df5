"""Candidates tried on the data: built, weighed and timed, without a download."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from foldwise.core.errors import InputError
from foldwise.files.architecture import ArchitectureSection, BuildSection
from foldwise.files.dataset import DatasetInfo
from foldwise.files.network import Network
from foldwise.files.params import AdviseSection
from foldwise.nets.cost import count_macs, total_stride, total_stride_at
from foldwise.nets.network import extract_features, tail_module
from foldwise.nets.resolve import fit_network
from foldwise.nets.shapes import construct_shapes, misfit
from foldwise.nets.sides import square
from foldwise.nets.weights.pretrained import IMAGENET
from foldwise.plan.candidates import MAX_PROPOSALS, Candidate
from foldwise.plan.forecast import Throughput
from foldwise.plan.rules import LAST_SIDE, Facts, max_downsamplings, why_too_heavy

MIN_PROPOSALS = 2
MIN_DOWNSAMPLINGS = 2  # of every network here, whatever the image size


@dataclass(frozen=True)
class Trial:
    """A candidate built for the data.

    Attributes:
        network: With fresh weights.
        n_downsamplings: How often it halves the side of an image.
        macs: Multiply-accumulate operations of one image in the part that trains in each step.
    """

    network: Network
    n_downsamplings: int
    macs: int


@dataclass(frozen=True)
class Proposal:
    """One architecture to try.

    Attributes:
        candidate: What it is, and why to try it.
        downsampling: A sentence on its downsamplings.
        throughput: How fast it trains here.
    """

    candidate: Candidate
    downsampling: str
    throughput: Throughput


def try_candidate(candidate: Candidate, build: BuildSection, info: DatasetInfo) -> Trial:
    """Build the network of a candidate as the stage build would, and weigh it.

    Args:
        candidate: Its section is added to those of params.yaml.
        build: The section build of params.yaml.
        info: Of the data set.

    Raises:
        InputError: If it does not take these images.
    """
    architectures = dict(build.architectures)
    if candidate.section:
        section = ArchitectureSection.model_validate(candidate.section)
        architectures[candidate.name] = section
    build = BuildSection(architectures=architectures)
    section = build.of(candidate.name)
    network = fit_network(candidate.name, build, info)
    if section.has_weights:
        network = network.model_copy(update={"normalisation": IMAGENET})
    return Trial(network, _count_downsamplings(network), _trained_macs(network))


def propose(
    candidates: Sequence[Candidate],
    build: Callable[[Candidate], Trial],
    measure: Callable[[Network], Throughput],
    facts: Facts,
    limits: AdviseSection,
) -> tuple[list[Proposal], dict[str, str]]:
    """Return two or three proposals, and why the candidates before them were rejected.

    Args:
        candidates: The most promising first, each once.
        build: Builds and weighs a candidate; raises an InputError if it does not take the images.
        measure: Times a network; raises an InputError if the memory is too small.
        facts: Of the data and the machine.
        limits: The thresholds.

    Raises:
        InputError: If fewer than two are left.
    """
    proposals: list[Proposal] = []
    rejected: dict[str, str] = {}
    for candidate in candidates:
        if len(proposals) == MAX_PROPOSALS:
            break
        try:
            trial = build(candidate)
            if reason := why_too_heavy(trial.macs, facts, limits):
                rejected[candidate.name] = reason
                continue
            throughput = measure(trial.network)
        except InputError as error:
            rejected[candidate.name] = str(error)
            continue
        sentence = describe_downsampling(trial.n_downsamplings, facts.side, candidate.exception)
        proposals.append(Proposal(candidate, sentence, throughput))
    if len(proposals) < MIN_PROPOSALS:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in rejected.items())
        raise InputError(
            f"prepare.image_size gives images of {facts.side} px, for which fewer than "
            f"{MIN_PROPOSALS} architectures are left ({reasons}); set another image size, or name "
            "candidates yourself"
        )
    return proposals, rejected


def describe_downsampling(n: int, side: int, exception: str) -> str:
    """Return whether a network keeps the rule of downsamplings, and if not, why to take it.

    Args:
        n: How often it halves the side.
        side: Of the images, in pixels.
        exception: Why to take it if it does not keep the rule.
    """
    limit = max_downsamplings(side)
    times = "1 downsampling" if n == 1 else f"{n} downsamplings"
    rule = f"at most {limit} leave {LAST_SIDE} of {side} px"
    if n <= limit:
        return f"{times}; {rule}"
    if limit < MIN_DOWNSAMPLINGS:
        exception = "every network here downsamples images of this size too far"
    return f"{times} although {rule}: {exception}"


def _count_downsamplings(network: Network) -> int:
    """Return how often the side is halved.

    The lesser of two counts: at 224 pixels, where unpadded convolutions do not look like pooling,
    and at squares of its own size, to which some networks adapt.
    """
    side = min(network.height, network.width)
    fits = misfit(square(network, side)) is None
    own_stride = total_stride_at(network, side, side) if fits else None
    strides = [stride for stride in (own_stride, total_stride(network)) if stride is not None]
    return int(math.log2(min(strides, default=1)))


def _trained_macs(network: Network) -> int:
    """Return the MACs of the whole network, or of the part behind cached features."""
    if network.cut is None:
        return count_macs(network, counted=0)
    module = construct_shapes(network).eval()
    images = torch.empty(1, network.channels, network.height, network.width, device="meta")
    features = extract_features(module, network.cut, images)
    with FlopCounterMode(display=False) as counter:
        tail_module(module, network.cut)(features)
    return int(counter.get_total_flops()) // 2
