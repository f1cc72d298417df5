"""card.json and summary.txt: size, cost, training schedule and weights of an architecture."""

import re
from collections.abc import Iterator, Sequence

import torch
import torchinfo
from torch import nn

from foldwise.core.errors import counted, first_few
from foldwise.files.network import Card, LoadedWeights, Network
from foldwise.nets.cost import count_macs, predict_memory, total_stride
from foldwise.nets.network import FIRST, LAST, covers, frozen_at
from foldwise.nets.resolve import defined_in, title_of
from foldwise.nets.shapes import changes_of, construct_shapes
from foldwise.nets.sides import smallest_side
from foldwise.nets.weights.pretrained import PretrainedWeights

COLUMNS = ("output_size", "num_params", "mult_adds", "trainable")
MOST_NAMES = 6  # names of a list that are written out


def describe_card(
    network: Network,
    pretrained: PretrainedWeights,
    classes: list[str],
    cautions: Sequence[str] = (),
) -> tuple[Card, str]:
    """Return the card of a network, and its summary as text.

    The summary begins with torchinfo's table for one image. Its column "Trainable" shows the
    first epoch. Auxiliary heads count as parameters and not as MACs, because they do not run in
    evaluation.

    Args:
        network: A network that takes its images, after `resolve_freezing`.
        pretrained: Which weights were loaded.
        classes: Names of the classes.
        cautions: Sentences on its start and its code, from `prove_trainable`.
    """
    module = construct_shapes(network)
    layers = zip(module.named_children(), network.settings.get("layers", []), strict=False)
    taken = {name: layer["take"] for (name, _), layer in layers if layer["kind"] == "take"}
    table = _table(network, module)
    sizes = {name: parameter.numel() for name, parameter in module.named_parameters()}
    frozen = frozen_at(network, LAST)
    locked = sum(
        size for name, size in sizes.items() if name in network.fixed or covers(frozen, name)
    )
    card = Card(
        name=network.name,
        title=title_of(network),
        defined_in=defined_in(network),
        input_shape=[network.channels, network.height, network.width],
        classes=classes,
        parameters=sum(sizes.values()),
        trainable_parameters=sum(sizes.values()) - locked,
        locked_parameters=locked,
        macs=count_macs(network, int(table.total_mult_adds)),
        activation_bytes=int(table.total_output_bytes),
        memory=predict_memory(network),
        smallest_side=smallest_side(network),
        total_stride=total_stride(network),
        policy=describe_policy(network, list(sizes), is_pretrained=bool(pretrained.loaded)),
        loaded=pretrained.loaded,
        cautions=[*pretrained.cautions, *cautions],
        changes=changes_of(network),
        seen_images=pretrained.seen_images,
    )
    return card, "\n".join([_table_text(table), *_facts(card, taken)]) + "\n"


def describe_in_one_line(card: Card) -> str:
    """Return name, parameters and MACs in one line."""
    trained = f" ({card.trainable_parameters:,} trained)" if card.locked_parameters else ""
    return f"{card.name}, {card.parameters:,} parameters{trained}, {card.macs / 1e6:,.2f} M MACs"


def describe_policy(network: Network, order: Sequence[str], *, is_pretrained: bool) -> str:
    """Return which layers train, from which epoch, and with which settings of their own.

    Args:
        network: A network after `resolve_freezing`.
        order: Names of its parameters, in order.
        is_pretrained: Whether some of its weights are pretrained.
    """
    frozen = frozen_at(network, FIRST)
    if not frozen:
        start = "finetune: all layers train" if is_pretrained else "trains from scratch"
    elif all(covers([*frozen, *network.heads], name) for name in order):
        start = f"frozen except {first_few(network.heads, MOST_NAMES)}"
    else:
        start = f"frozen: {_span(order, frozen)}"
    thaws = [
        f"{_span(order, thaw.layers)} trains from epoch {thaw.at_epoch}"
        + ("" if thaw.learning_rate is None else f" at learning rate {thaw.learning_rate:g}")
        for thaw in network.thaw
    ]
    training = network.training.model_dump(exclude_none=True)
    if network.fixed:
        thaws.append(f"its own code never trains {first_few(network.fixed, MOST_NAMES)}")
    return "; ".join([start, *thaws, *(f"{key} {value:g}" for key, value in training.items())])


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


def _table_text(table: torchinfo.ModelStatistics) -> str:
    text = str(table).replace("Mult-Adds", "MACs".ljust(9)).replace("Total mult-adds", "Total MACs")
    # torchinfo 1.8.0 prints the name of its enum: (Units.MEGABYTES) instead of (M).
    return re.sub(r"\(Units\.(\w)\w*\)", r"(\1)", text)


def _facts(card: Card, taken: dict[str, str]) -> Iterator[str]:
    """Yield the lines below the table; `taken` has the reference of each layer taken elsewhere."""
    yield (
        f"Parameters: {card.parameters:,}; trained in some epoch {card.trainable_parameters:,}, "
        f"frozen in all {card.locked_parameters:,}"
    )
    yield f"Multiply-accumulate operations (MACs) per image: {card.macs:,}"
    side, stride = card.smallest_side, card.total_stride
    yield f"Smallest image: {'certain sizes only' if side is None else f'{side}×{side} px'}"
    yield f"Total stride: {'no feature maps' if stride is None else f'{stride} px'}"
    yield f"Policy: {card.policy}"
    yield from (f"Change: {change}" for change in card.changes)
    for layer, reference in taken.items():
        yield f"Layer {layer}: taken from {reference}"
    if not card.loaded:
        yield "Weights: scratch"
    for loaded in card.loaded:
        into = f" into {loaded.layer}" if loaded.layer else ""
        yield f"Weights{into}: {loaded.source}, SHA-256 {loaded.sha256}"
        if loaded.key or loaded.other_keys:
            yield f"  {_choice_text(loaded)}"
        yield f"  {_matches(loaded)}"
    yield from (f"Caution: {caution}" for caution in card.cautions)


def _choice_text(loaded: LoadedWeights) -> str:
    text = f"Key in the file: {loaded.key or 'none'}"
    others = first_few([key or "''" for key in loaded.other_keys], MOST_NAMES)
    return f"{text}; also matching: {others} (set weights_key)" if others else text


def _matches(loaded: LoadedWeights) -> str:
    counts = [f"{counted(loaded.matched, 'tensor')} matched"]
    for kind, names in (("missing", loaded.missing_keys), ("unexpected", loaded.unexpected_keys)):
        counts.append(f"{len(names)} {kind}{f': {first_few(names, MOST_NAMES)}' if names else ''}")
    return "; ".join(counts)


def _span(order: Sequence[str], names: Sequence[str]) -> str:
    """Return modules in order of their parameters; "first … last" where none lies between."""
    indices = {
        name: [i for i, other in enumerate(order) if covers([name], other)] for name in names
    }
    known = sorted((name for name in names if indices[name]), key=lambda name: indices[name])
    covered = [index for name in known for index in indices[name]]
    if len(known) > 2 and covered == list(range(covered[0], covered[-1] + 1)):
        return f"{known[0]} … {known[-1]}"
    return first_few(known, MOST_NAMES)
