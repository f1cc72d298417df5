import pytest
from dataset_info import info_of

from foldwise.files.architecture import ArchitectureSection, BuildSection
from foldwise.files.network import ChannelStatistics
from foldwise.nets.freezing import resolve_freezing
from foldwise.nets.resolve import resolve


@pytest.fixture
def info():
    return info_of("abc", (16, 16, 1), 60, 6)


@pytest.fixture
def network_of(info):
    """Make a network as build would, with a normalisation of its own if it has a section."""

    def network_of(base, **section):
        wanted = ArchitectureSection.model_validate({"base": base} | section)
        build = BuildSection.model_construct(architectures={"net": wanted})
        network = resolve_freezing(resolve("net", build, info), wanted, ())
        shared = ChannelStatistics(mean=[0.5], std=[0.25]) if section else None
        return network.model_copy(update={"normalisation": shared})

    return network_of
