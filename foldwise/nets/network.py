"""A network cut in two: what never trains and so runs once, and what is trained behind it."""

import importlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from foldwise.files.network import Cut, Network


@torch.no_grad()
def extract_features(module: nn.Module, cut: Cut, images: Tensor) -> Tensor:
    """Return what the part before the cut makes of images.

    Args:
        module: The whole network, in eval mode.
        cut: Where to cut it.
        images: (b, c, h, w), normalised.

    Returns:
        (b, *shape of a feature).
    """
    if cut.tail:
        return _into(module.get_submodule(cut.tail[0]), module, images)
    for name in cut.prefix:
        images = module.get_submodule(name)(images)
    return images


def tail_module(module: nn.Module, cut: Cut) -> nn.Module:
    """Return the part behind the cut, which takes features in place of images.

    Its parameters are those of `module`, which is changed.

    Args:
        module: The whole network.
        cut: Where to cut it.
    """
    if cut.tail:
        return nn.Sequential(OrderedDict(head=module.get_submodule(cut.tail[0])))
    for name in cut.prefix:
        module.set_submodule(name, nn.Identity())
    return module


def _into(part: nn.Module, module: nn.Module, images: Tensor) -> Tensor:
    """Return what goes into a part while the whole network runs."""
    seen: list[Tensor] = []
    handle = part.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    try:
        module(images)
    finally:
        handle.remove()
    return seen[0]


AUXILIARY_WEIGHT = 0.3  # of the loss of an auxiliary head; Szegedy et al. 2015, section 5
FIRST = 1  # epoch


def construct(network: Network, weights: dict[str, Tensor]) -> nn.Module:
    """Make the network: fresh weights, then the pretrained ones, then frozen parts.

    Args:
        network: What to make.
        weights: What starts pretrained, as `contracts.weights.read_start` returns it. The rest
            is drawn from torch's global generator: seed it first.

    Returns:
        The module as `train_mode` sets it for the first epoch.
    """
    builder = importlib.import_module(f"foldwise.nets.{network.builder}")
    sizes = (network.channels, network.height, network.width, network.n_classes)
    module: nn.Module = builder.build(*sizes, **network.settings)
    if weights:
        state = module.state_dict()  # with its metadata; MnasNet loads nothing without
        assert weights.keys() <= state.keys(), weights.keys() - state.keys()
        state.update(weights)
        module.load_state_dict(state)
    return train_mode(module, network, FIRST)


def train_mode(module: nn.Module, network: Network, epoch: int) -> nn.Module:
    """Let those parts train, and no others, that train in an epoch.

    Frozen parts have no gradients and stay in eval mode, so that their BatchNorm statistics and
    dropout are fixed, too.

    Args:
        module: What `construct` returned; it is changed.
        network: Of which it was made.
        epoch: Counted from 1.
    """
    module.train()
    module.requires_grad_(True)
    for name in frozen_at(network, epoch):
        for part in named(module, name):
            part.requires_grad_(False)
            if isinstance(part, nn.Module):
                part.eval()
    return module


def frozen_at(network: Network, epoch: int) -> list[str]:
    """Return the modules and parameters that do not train in an epoch, counted from 1."""
    thawed = [name for one in network.thaw if one.at_epoch <= epoch for name in one.layers]
    return [name for name in network.frozen if not covers(thawed, name)]


def covers(modules: Iterable[str], name: str) -> bool:
    """Return whether a dotted name is one of some modules', or inside one of them."""
    return any(name == one or name.startswith(f"{one}.") for one in modules)


def named(module: nn.Module, name: str) -> Iterator[nn.Module | nn.Parameter]:
    """Yield the module or parameter of a dotted name; none if training replaced it."""
    parent, _, last = name.rpartition(".")
    try:
        part = getattr(module.get_submodule(parent), last)
    except AttributeError:
        return
    yield part


def all_logits(output: Tensor | tuple[Tensor | None, ...]) -> list[tuple[float, Tensor]]:
    """Return the logits of every head with the weight of its loss, the main one first.

    GoogLeNet and Inception have auxiliary heads, in train mode only; all others a single one.

    Args:
        output: What the module returned: (b, n_classes), or a tuple of these.
    """
    if isinstance(output, Tensor):
        return [(1.0, output)]
    main, *auxiliary = output
    assert main is not None
    return [(1.0, main), *((AUXILIARY_WEIGHT, head) for head in auxiliary if head is not None)]


def loss_of(output: Tensor | tuple[Tensor | None, ...], labels: Tensor) -> Tensor:
    """Return the cross-entropy of all heads, weighted, in single precision.

    Args:
        output: What the module returned: (b, n_classes), or a tuple of these.
        labels: (b,) true class.
    """
    losses = [
        weight * functional.cross_entropy(logits.float(), labels)
        for weight, logits in all_logits(output)
    ]
    return torch.stack(losses).sum()
