"""What an architecture weighs: card.json and summary.txt."""

import re
from collections.abc import Iterator, Sequence

import torch
import torchinfo
from torch import nn

from foldwise.files.card import Card, LoadedWeights
from foldwise.files.network import Network
from foldwise.nets.cost import count_macs, predict_memory, total_stride
from foldwise.nets.parts import find_parts
from foldwise.nets.resolve import origin_of, title_of
from foldwise.nets.schedule_text import policy_in_words, shorten, trains_from
from foldwise.nets.shapes import construct_shapes, smallest_side
from foldwise.nets.weights.pretrained import PretrainedWeights

COLUMNS = ("output_size", "num_params", "mult_adds")


def describe_card(
    network: Network, findings: PretrainedWeights, classes: list[str]
) -> tuple[Card, str]:
    """Return the card of a network and its summary, made for one image.

    The summary is torchinfo's table of the first epoch: parameters in brackets are locked then.
    Auxiliary heads count as parameters and not as multiply-adds: they take no part in evaluation.

    Args:
        network: A network that fits its images, frozen and thawed as it will be.
        findings: What its weights are.
        classes: Names of the classes.
    """
    module = construct_shapes(network)
    table = _table(network, module)
    sizes = {name: one.numel() for name, one in module.named_parameters()}
    trainable = sum(n for name, n in sizes.items() if trains_from(network, name) is not None)
    card = Card(
        name=network.name,
        title=title_of(network),
        origin=origin_of(network),
        input_shape=[network.channels, network.height, network.width],
        classes=classes,
        parameters=sum(sizes.values()),
        trainable_parameters=trainable,
        locked_parameters=sum(sizes.values()) - trainable,
        macs=count_macs(network, int(table.total_mult_adds)),
        activation_bytes=int(table.total_output_bytes),
        memory=predict_memory(network),
        smallest_side=smallest_side(network),
        downsampling=total_stride(network),
        policy=policy_in_words(network, module, is_pretrained=bool(findings.loaded)),
        loaded=findings.loaded,
        cautions=findings.cautions,
        parts=find_parts(network, module, findings.loaded),
    )
    # torchinfo writes Python's name of its unit of multiply-adds: Units.MEGABYTES for M.
    shown = re.sub(r"\(Units\.(\w)\w*\)", r"(\1)", str(table))
    return card, "\n".join([shown, *_lines(card)]) + "\n"


def summarise(card: Card) -> str:
    """Return the one line that build prints."""
    trained = f" ({card.trainable_parameters:,} trained)"
    return (
        f"{card.name}, {card.parameters:,} parameters"
        f"{trained if card.trainable_parameters < card.parameters else ''}, "
        f"{card.macs / 1e6:,.2f} M multiply-adds an image"
    )


def _table(network: Network, module: nn.Module) -> torchinfo.ModelStatistics:
    size = (1, network.channels, network.height, network.width)
    return torchinfo.summary(
        module,
        input_data=torch.empty(size, device="meta"),
        device="meta",
        col_names=COLUMNS,
        row_settings=("var_names",),
        verbose=0,
    )


def _lines(card: Card) -> Iterator[str]:
    """Yield what the table does not say."""
    yield (
        f"Parameters: {card.parameters:,}; trained at some time {card.trainable_parameters:,}, "
        f"locked {card.locked_parameters:,}"
    )
    yield f"Multiply-adds of one image: {card.macs:,}"
    side, factor = card.smallest_side, card.downsampling
    yield f"Smallest image: {'certain sizes only' if side is None else f'{side}×{side} px'}"
    yield f"Downsampling: {'no maps' if factor is None else f'{factor} px a side to one'}"
    yield f"Policy: {card.policy}"
    if not card.loaded:
        yield "Weights: scratch"
    for loaded in card.loaded:
        into = f" into {loaded.layer}" if loaded.layer else ""
        yield f"Weights{into}: {loaded.source}, SHA-256 {loaded.sha256}"
        yield f"  {_found(loaded)}"
    yield from (f"Caution: {caution}" for caution in card.cautions)


def _found(loaded: LoadedWeights) -> str:
    parts = [f"{loaded.matched} tensors match"]
    parts += _listed("missing", loaded.missing_keys)
    parts += _listed("unexpected", loaded.unexpected_keys)
    return "; ".join(parts)


def _listed(what: str, names: Sequence[str]) -> list[str]:
    return [f"{len(names)} {what}{f': {shorten(names)}' if names else ''}"]
