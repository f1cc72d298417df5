"""AdamW and SGD with per-layer learning rates and a one-cycle schedule.

The schedule is that of Smith and Topin, "Super-convergence", 2018, with the cosine of fast.ai and
of torch's OneCycleLR: the learning rate rises from 1/25 of the base rate to the base rate, then
falls to 1/250,000 of it.
"""

import math
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn

from foldwise.engine.update_rules import AdamWGroup, Group, SGDGroup
from foldwise.files.network import Network
from foldwise.files.params import TrainSection
from foldwise.nets.network import covers, frozen_at

START = 1 / 25  # of the base rate
END = START / 10_000  # of the base rate
GROUP_SHARE = 0.5  # of all parameters; a larger module is a group of layers


def one_cycle(step: int, n_steps: int, base_lr: float, warmup: float) -> float:
    """Return the learning rate of a step.

    Args:
        step: 0 .. n_steps - 1.
        n_steps: Steps of the whole training.
        base_lr: The highest learning rate.
        warmup: Share of the steps in which the rate rises, 0 .. 1.
    """
    top = max(warmup * n_steps - 1, 0)
    if step < top:
        return base_lr * _cosine(START, 1, step / top)
    down = n_steps - 1 - top
    return base_lr * _cosine(1, END, (step - top) / down if down else 0)


def _cosine(first: float, last: float, share: float) -> float:
    """Return the value at a share of the way along half a cosine."""
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2


def base_learning_rates(
    module: nn.Module, network: Network, section: TrainSection
) -> dict[str, float]:
    """Return the base learning rate of each parameter that trains at some time, by name.

    Heads take the common rate. All other layers take the backbone's own rate, if it has one,
    reduced by a factor for each layer further from the output (layer-wise decay; Clark et al.
    2020, ELECTRA, section 3.4). A thawed layer with its own rate takes exactly that.

    Args:
        module: The whole network.
        network: Its frozen, thawed and head layers, and its own learning rates.
        section: The common learning rate, and the number of epochs.
    """
    hparams = network.training
    head_lr = hparams.learning_rate or section.common_rate
    backbone_lr = hparams.body_learning_rate or head_lr
    depths = layer_depths(module)
    thawed = [
        (layer, thaw.learning_rate)
        for thaw in network.thaw
        for layer in thaw.layers
        if thaw.learning_rate is not None
    ]
    always_frozen = frozen_at(network, section.epochs)
    rates: dict[str, float] = {}
    for name, _ in module.named_parameters():
        if covers(always_frozen, name):
            continue
        rate = head_lr if covers(network.heads, name) else backbone_lr
        rates[name] = rate * (hparams.layer_decay or 1.0) ** depths[name]
        for layer, thaw_lr in thawed:
            if covers([layer], name):
                rates[name] = thaw_lr
    return rates


def layer_depths(module: nn.Module) -> dict[str, int]:
    """Return how many layers lie between each parameter and the output, by name.

    A layer is a block as the network's author grouped it. Containers, and modules that hold more
    than half of all parameters, are groups of layers. Parameters without a kernel or matrix, for
    example those of BatchNorm, belong to the layer before them.

    Args:
        module: Its children in the order in which they run.
    """
    n_parameters = sum(parameter.numel() for parameter in module.parameters())
    layers: list[list[str]] = []
    for names, has_kernel in _layers(module, "", n_parameters):
        if has_kernel or not layers:
            layers.append([])
        layers[-1] += names
    return {name: depth for depth, names in enumerate(reversed(layers)) for name in names}


def _layers(module: nn.Module, path: str, total: int) -> Iterator[tuple[list[str], bool]]:
    """Yield the parameter names of each layer, and whether it has a kernel or a matrix."""
    prefix = f"{path}." if path else ""
    direct = [(prefix + name, value) for name, value in module.named_parameters(recurse=False)]
    if direct:
        yield _names_and_kernel(direct)
    for name, child in module.named_children():
        inner = list(child.named_parameters(prefix + name))
        size = sum(value.numel() for _, value in inner)
        is_group = isinstance(child, nn.Sequential | nn.ModuleList) or size > GROUP_SHARE * total
        if is_group and any(True for _ in child.children()):
            yield from _layers(child, prefix + name, total)
        elif inner:
            yield _names_and_kernel(inner)


def _names_and_kernel(parameters: list[tuple[str, nn.Parameter]]) -> tuple[list[str], bool]:
    return [name for name, _ in parameters], any(value.ndim > 1 for _, value in parameters)


class _NewGroup(Protocol):
    """Makes a group of parameters with one base learning rate and one weight decay."""

    def __call__(self, parameters: list[Tensor], base_lr: float, weight_decay: float) -> Group:
        """Return the group."""


class Optimiser:
    """An optimiser with one learning rate per group of parameters, set before each step.

    Weight decay applies to matrices and kernels only, not to biases and normalisation, as in the
    reference scripts of timm and torchvision. The optimisers of torch.optim give the same numbers,
    but constructing one takes 1.7 s in a fresh process, because it imports torch._dynamo.
    """

    def __init__(
        self,
        parameters: Iterable[tuple[Tensor, float]],
        weight_decay: float,
        new_group: _NewGroup,
        clip_norm: float | None,
    ) -> None:
        """Group the parameters.

        Args:
            parameters: Parameters, each with its base learning rate.
            weight_decay: Decay of a step, per unit of the learning rate.
            new_group: Chooses the method.
            clip_norm: Largest norm of the gradient of all parameters; None: any.
        """
        groups: dict[tuple[float, float], list[Tensor]] = {}
        for parameter, base_lr in parameters:
            decay = weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((base_lr, decay), []).append(parameter)
        self._groups = [new_group(members, *key) for key, members in groups.items()]
        self._parameters = [parameter for members in groups.values() for parameter in members]
        self._clip_norm = clip_norm

    def set_lr_factor(self, factor: float) -> None:
        """Set every learning rate of the next step to a multiple of its base rate."""
        for group in self._groups:
            group.set_lr(group.base_lr * factor)

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter that has a gradient, and drop the gradients."""
        if self._clip_norm is not None:
            nn.utils.clip_grad_norm_(self._parameters, self._clip_norm)
        for group in self._groups:
            group.step()


class AdamW(Optimiser):
    """AdamW: weight decay is apart from the gradient."""

    def __init__(
        self,
        parameters: Iterable[tuple[Tensor, float]],
        weight_decay: float,
        clip_norm: float | None = None,
    ) -> None:
        """Group the parameters, as `Optimiser` says."""
        super().__init__(parameters, weight_decay, AdamWGroup, clip_norm)


class SGD(Optimiser):
    """SGD with Nesterov momentum: weight decay is added to the gradient."""

    def __init__(
        self,
        parameters: Iterable[tuple[Tensor, float]],
        weight_decay: float,
        momentum: float,
        clip_norm: float | None = None,
    ) -> None:
        """Group the parameters, as `Optimiser` says; the momentum is 0 .. 1."""
        super().__init__(parameters, weight_decay, partial(SGDGroup, momentum=momentum), clip_norm)


def open_optimiser(
    parameters: Iterable[tuple[Tensor, float]], weight_decay: float, section: TrainSection
) -> Optimiser:
    """Return the optimiser that the section names, for parameters with their base rates."""
    if section.optimiser == "sgd":
        return SGD(parameters, weight_decay, section.momentum, section.clip_norm)
    return AdamW(parameters, weight_decay, section.clip_norm)
