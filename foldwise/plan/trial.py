"""An idea tried: made for the data, weighed and timed, without a download."""

import math
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from foldwise.files.architecture import ArchitectureSection, BuildSection
from foldwise.files.dataset import DatasetInfo
from foldwise.files.network import Network
from foldwise.nets.cost import count_macs, total_stride, total_stride_at
from foldwise.nets.freezing import resolve_freezing
from foldwise.nets.network import extract_features, tail_module
from foldwise.nets.proof import require_fit
from foldwise.nets.resolve import frozen_by_default, resolve
from foldwise.nets.shapes import construct_shapes, misfit, square
from foldwise.nets.weights.cautions import IMAGENET
from foldwise.plan.ideas import Idea


@dataclass(frozen=True)
class Trial:
    """What an idea weighs.

    Attributes:
        network: Made for the data; its weights are fresh.
        halvings: Of the side of an image.
        macs: Of one image, in the part that training runs in each step.
    """

    network: Network
    halvings: int
    macs: int


def make(idea: Idea, build: BuildSection, info: DatasetInfo) -> Trial:
    """Make the network of an idea as build would, and weigh it.

    Args:
        idea: Its section is added to the others.
        build: What params.yaml defines.
        info: Of the data set.

    Raises:
        InputError: If it does not take these images.
    """
    section = with_sections(build, [idea])
    wanted = section.of(idea.name)
    network = resolve(idea.name, section, info)
    require_fit(network)
    network = resolve_freezing(network, wanted, frozen_by_default(network))
    if wanted.has_weights:
        network = network.model_copy(update={"normalisation": IMAGENET})
    return Trial(network, _halvings(network), _trained_macs(network))


def with_sections(build: BuildSection, ideas: list[Idea]) -> BuildSection:
    """Return the section build with what ideas define."""
    new = {one.name: ArchitectureSection.model_validate(one.section) for one in ideas}
    defined = {name: one for name, one in new.items() if one != ArchitectureSection()}
    return BuildSection(architectures={**build.architectures, **defined})


def _halvings(network: Network) -> int:
    """Return how often the side is halved.

    The lesser of two views: on images of 224 pixels, where unpadded convolutions do not pass for
    pooling, and on squares as small as its own, to which some networks adapt.
    """
    side = min(network.height, network.width)
    fits = misfit(square(network, side)) is None
    own = total_stride_at(network, side, side) if fits else None
    factors = [factor for factor in (own, total_stride(network)) if factor is not None]
    return int(math.log2(min(factors, default=1)))


def _trained_macs(network: Network) -> int:
    """Return those of the whole network, or of what is behind the part that runs once."""
    if network.cut is None:
        return count_macs(network, counted=0)
    module = construct_shapes(network).eval()
    images = torch.empty(1, network.channels, network.height, network.width, device="meta")
    maps = extract_features(module, network.cut, images)
    with FlopCounterMode(display=False) as counter:
        tail_module(module, network.cut)(maps)
    return int(counter.get_total_flops()) // 2
