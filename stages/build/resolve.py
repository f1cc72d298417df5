"""From the name of an architecture to the network for the data."""

import importlib
from pathlib import Path
from types import ModuleType

from stages.build.catalogue import ADAPTER, TORCHVISION
from stages.build.params import ArchitectureSection
from stages.contracts.code import fingerprints
from stages.contracts.dataset import DatasetInfo
from stages.contracts.network import Network

ROOT = Path(__file__).parents[2]  # of the package stages


def resolve(model: str, wanted: ArchitectureSection, info: DatasetInfo) -> Network:
    """Return the network, its pretrained weights still to come.

    Args:
        model: A name of the catalogue.
        wanted: What params.yaml sets for it.
        info: The data set: channels, size and classes.
    """
    builder = ADAPTER if model in TORCHVISION else model
    return Network(
        name=model,
        builder=builder,
        settings={"name": model} if model in TORCHVISION else {},
        channels=info.channels,
        height=info.height,
        width=info.width,
        n_classes=len(info.classes),
        frozen=list(getattr(_module(builder), "FROZEN", ())),
        training=wanted.training,
        code=_code(builder),
        weights_sha256=None,
    )


def title_of(network: Network) -> str:
    """Return one line: what the architecture is, and its source."""
    if network.builder == ADAPTER:
        return f"{network.name} of torchvision: {TORCHVISION[network.name]}"
    title: str = _module(network.builder).TITLE
    return title


def origin_of(network: Network) -> str:
    """Return the Python module that defines the architecture."""
    return _module(network.builder).__name__


def _module(builder: str) -> ModuleType:
    return importlib.import_module(f"stages.build.networks.{builder}")


def _code(builder: str) -> dict[str, str]:
    """Fingerprint what makes the network; the contracts that it imports decide nothing here."""
    found = fingerprints(ROOT, f"stages.build.networks.{builder}")
    return {name: digest for name, digest in found.items() if name.startswith("stages.build.")}
