"""How a network starts, the same for all sources: BatchNorm statistics, and fresh heads.

Published networks are made for long trainings. A BatchNorm momentum of .01 needs hundreds of steps
until the running statistics hold; at .1, torch's default, the same network of 49 such layers is
right within tens. The running variance of a new layer is 1, and after 72 steps .0005 of it is left:
more than the variances inside of some deep networks, so that their logits in eval mode are wrong.
Therefore the first batch replaces the statistics of new layers. And some heads are drawn for 1,000
classes: EfficientNet takes weights of up to 1 / sqrt(classes), which for 2 classes are 25 times as
large as those of nn.Linear and give a first loss of several nats where guessing has .69.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

MIN_BN_MOMENTUM = 0.1  # share of a batch in the running statistics; torch's default
MOST_NATS = 3.0  # above the loss of guessing may the loss of two random images begin
MOST_TIMES = 2  # as large as those of nn.Linear may the weights of a fresh head be


def _low_momentum(module: nn.Module) -> Iterator[_BatchNorm]:
    """Yield the layers whose momentum is lower than torch's default."""
    for part in module.modules():
        if isinstance(part, _BatchNorm) and (part.momentum or 1) < MIN_BN_MOMENTUM:
            yield part


def raise_bn_momentum(module: nn.Module) -> None:
    """Raise the momentum of every BatchNorm to torch's default where it is lower."""
    for part in _low_momentum(module):
        part.momentum = MIN_BN_MOMENTUM


def layers_without_statistics(module: nn.Module) -> list[_BatchNorm]:
    """Return the BatchNorm layers whose running statistics are those of a new layer."""
    return [part for part in module.modules() if isinstance(part, _BatchNorm) and _is_new(part)]


def _is_new(layer: _BatchNorm) -> bool:
    mean, variance = layer.running_mean, layer.running_var
    if mean is None or variance is None:
        return False
    return not mean.any().item() and bool((variance == 1).all().item())


@contextmanager
def replaced_statistics(layers: Sequence[_BatchNorm]) -> Iterator[None]:
    """While it is open, a batch in train mode replaces the running statistics of the layers."""
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 1.0
    try:
        yield
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum


def restart(head: nn.Module) -> None:
    """Draw the weights of a head again as nn.Linear and nn.Conv2d do."""
    assert isinstance(head, nn.Linear | nn.Conv2d)
    head.reset_parameters()


def heads_to_restart(module: nn.Module, heads: Sequence[str]) -> list[str]:
    """Return the heads whose weights are much larger than those of nn.Linear.

    Args:
        module: A network with random weights.
        heads: Names of its heads.
    """
    parts = dict(module.named_modules())
    return [name for name in heads if name in parts and _times(parts[name]) > MOST_TIMES]


def _times(head: nn.Module) -> float:
    """Return how many times as large as those of nn.Linear the weights are; 0 for other modules."""
    if not isinstance(head, nn.Linear | nn.Conv2d):
        return 0.0
    fan_in = head.weight[0].numel()
    usual = 1 / math.sqrt(3 * fan_in)  # standard deviation between +- 1 / sqrt(fan_in)
    return head.weight.detach().square().mean().sqrt().item() / usual


@torch.no_grad()
def find_bad_start(logits: Tensor, labels: Tensor) -> Iterator[str]:
    """Yield a sentence if the loss of an untrained network is far above that of guessing.

    Args:
        logits: (b, n_classes) of random images.
        labels: (b,) classes.
    """
    loss, guess = functional.cross_entropy(logits.float(), labels).item(), math.log(logits.shape[1])
    if loss > guess + MOST_NATS:
        yield (
            f"the first loss is {loss:.1f}, where guessing has {guess:.1f}: its last layers give "
            "numbers that are too large, and the first steps are lost; let it begin with less"
        )


def describe_changes(module: nn.Module, restarted: Sequence[str]) -> list[str]:
    """Return what differs from the network as its source defines it, a sentence each.

    Args:
        module: The network as its source defines it.
        restarted: The heads that start again.
    """
    layers = list(_low_momentum(module))
    changes = []
    if layers:
        lowest = min(part.momentum or 1 for part in layers)
        changes.append(
            f"BatchNorm momentum {MIN_BN_MOMENTUM:g} instead of {lowest:.2g} "
            f"({len(layers)} of its layers), so that running statistics follow a short training"
        )
    changes += [
        f"{name} starts with the weights of a new nn.Linear: those of its source are made for more "
        "classes, and too large for these"
        for name in restarted
    ]
    return changes
