"""What an architecture weighs: card.json and torchinfo's table."""

import re

import torch
import torchinfo

from stages.build.params import ArchitectureSection
from stages.build.resolve import origin_of, title_of
from stages.build.shapes import construct_shapes
from stages.contracts.card import Card
from stages.contracts.network import Network

COLUMNS = ("output_size", "num_params", "mult_adds")


def describe(network: Network, wanted: ArchitectureSection, classes: list[str]) -> tuple[Card, str]:
    """Return the card of a network and its table, made for one image.

    Parameters in brackets are frozen. Auxiliary heads count as parameters and not as
    multiply-adds: they take no part in evaluation.

    Args:
        network: A network that fits its images.
        wanted: Where its weights are from.
        classes: Names of the classes.
    """
    module = construct_shapes(network)
    table = torchinfo.summary(
        module,
        input_data=torch.empty(1, network.channels, network.height, network.width, device="meta"),
        device="meta",
        col_names=COLUMNS,
        row_settings=("var_names",),
        verbose=0,
    )
    parameters = list(module.parameters())
    card = Card(
        name=network.name,
        title=title_of(network),
        origin=origin_of(network),
        input_shape=[network.channels, network.height, network.width],
        classes=classes,
        parameters=sum(one.numel() for one in parameters),
        trainable_parameters=sum(one.numel() for one in parameters if one.requires_grad),
        multiply_adds=int(table.total_mult_adds),
        weights=_source(wanted),
    )
    # torchinfo writes Python's name of its unit of multiply-adds: Units.MEGABYTES for M.
    return card, re.sub(r"\(Units\.(\w)\w*\)", r"(\1)", f"{table}\n")


def _source(wanted: ArchitectureSection) -> str:
    if wanted.weights is None:
        return "scratch"
    return f"{wanted.weights.rsplit('/', 1)[-1]}, SHA-256 {wanted.weights_sha256}"


def summarise(card: Card) -> str:
    """Return the one line that build prints."""
    trained = f" ({card.trainable_parameters:,} trained)"
    return (
        f"{card.name}, {card.parameters:,} parameters"
        f"{trained if card.trainable_parameters < card.parameters else ''}, "
        f"{card.multiply_adds / 1e6:,.2f} M multiply-adds an image"
    )
