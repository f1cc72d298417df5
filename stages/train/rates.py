"""The peak of the learning rate of each parameter that trains at some time."""

from collections.abc import Iterator

from torch import nn

from stages.build.network import covers, frozen_at
from stages.contracts.network import Network
from stages.train.params import TrainSection

HALF = 0.5


def peaks(module: nn.Module, network: Network, section: TrainSection) -> dict[str, float]:
    """Return the peak of each parameter that trains at some time, by name.

    Heads take the common rate, the body its own if it has one, lower by a factor for each layer
    further from the output (layer-wise decay; Clark et al. 2020, ELECTRA, section 3.4). What
    thaws with a rate of its own takes exactly that.

    Args:
        module: The whole network.
        network: What is frozen, thawed and head, and the rates that it sets for itself.
        section: The rate for all.
    """
    own = network.training
    head = own.learning_rate or section.learning_rate
    body = own.body_learning_rate or head
    depth = depths(module)
    thawed = [(name, one.learning_rate) for one in network.thaw for name in one.layers]
    never = frozen_at(network, section.epochs)
    rates: dict[str, float] = {}
    for name, _ in module.named_parameters():
        if covers(never, name):
            continue
        rate = head if covers(network.heads, name) else body
        rates[name] = rate * (own.layer_decay or 1.0) ** depth[name]
        for layer, asked in thawed:
            if asked is not None and covers([layer], name):
                rates[name] = asked
    return rates


def depths(module: nn.Module) -> dict[str, int]:
    """Return how many layers lie between each parameter and the output, by name.

    A layer is a block as the network's author grouped it. Containers, and parts that hold over
    half of all parameters, are no layers but groups of layers. Parameters without a kernel or
    matrix, such as BatchNorm's, belong to the layer before.

    Args:
        module: Its modules in the order in which they run.
    """
    groups = list(_layers(module, "", sum(one.numel() for one in module.parameters())))
    merged: list[list[str]] = []
    for names, has_kernel in groups:
        if has_kernel or not merged:
            merged.append([])
        merged[-1] += names
    return {name: index for index, names in enumerate(reversed(merged)) for name in names}


def _layers(module: nn.Module, path: str, total: int) -> Iterator[tuple[list[str], bool]]:
    """Yield the parameters of each layer, and whether one of them is a kernel or a matrix."""
    prefix = f"{path}." if path else ""
    own = [(prefix + name, one) for name, one in module.named_parameters(recurse=False)]
    if own:
        yield [name for name, _ in own], any(one.ndim > 1 for _, one in own)
    for name, child in module.named_children():
        inner = list(child.named_parameters(prefix + name))
        size = sum(one.numel() for _, one in inner)
        is_group = isinstance(child, nn.Sequential | nn.ModuleList) or size > HALF * total
        if is_group and any(True for _ in child.children()):
            yield from _layers(child, prefix + name, total)
        elif inner:
            yield [one for one, _ in inner], any(one.ndim > 1 for _, one in inner)
