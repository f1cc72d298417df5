"""AdamW and SGD with per-layer learning rates and a one-cycle schedule.

The schedule is that of Smith and Topin, "Super-convergence", 2018, with the cosine of fast.ai and
of torch's OneCycleLR: the learning rate rises from 1/25 of the base rate to the base rate, then
falls to 1/250,000 of it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from foldwise.engine.update_rules import AdamWGroup, Group, SGDGroup
from foldwise.files.network import Network
from foldwise.files.params import TrainSection
from foldwise.nets.network import covers, frozen_at

START = 1 / 25  # of the base rate
END = START / 10_000  # of the base rate
POSITIONS = ("pos_embed", "position")  # in the names of position embeddings and of their tables


def one_cycle(step: int, n_steps: int, warmup: float) -> float:
    """Return the learning rate of a step, as a multiple of the base rate.

    Args:
        step: 0 .. n_steps - 1.
        n_steps: Steps of the whole training.
        warmup: Share of the steps in which the rate rises, 0 .. 1.
    """
    top = max(warmup * n_steps - 1, 0)
    if step < top:
        return _cosine(START, 1, step / top)
    down = n_steps - 1 - top
    return _cosine(1, END, (step - top) / down if down else 0)


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
        network: Its frozen, thawed and head layers, its own learning rates, and the depths of its
            layers.
        section: The common learning rate, and the number of epochs.
    """
    hparams = network.training
    head_lr = hparams.learning_rate or section.common_rate
    backbone_lr = hparams.body_learning_rate or head_lr
    decay = hparams.layer_decay or 1.0
    always_frozen = frozen_at(network, section.epochs)
    rates: dict[str, float] = {}
    for name, _ in module.named_parameters():
        if name in network.fixed or covers(always_frozen, name):
            continue
        thaw = next((thaw for thaw in network.thaw if covers(thaw.layers, name)), None)
        if thaw is not None and thaw.learning_rate is not None:
            rates[name] = thaw.learning_rate
        else:
            rate = head_lr if covers(network.heads, name) else backbone_lr
            rates[name] = rate * decay ** network.depths.get(name, 0)
    return rates


def decayed_parameters(module: nn.Module) -> set[str]:
    """Return the names of the parameters to which weight decay applies: kernels and matrices.

    Not biases, normalisation, scales of channels, tokens and positions, as in the reference scripts
    of timm and torchvision; nor what a network of timm excludes itself.
    """
    excluded: set[str] = getattr(module, "no_weight_decay", set)()
    return {
        name
        for name, parameter in module.named_parameters()
        if sum(size > 1 for size in parameter.shape) > 1
        and name not in excluded
        and not any(word in name for word in POSITIONS)
    }


class Optimiser:
    """An optimiser with one learning rate per group of parameters, set before each step.

    The optimisers of torch.optim give the same numbers, but constructing one takes 1.7 s in a fresh
    process, because it imports torch._dynamo.
    """

    def __init__(self, groups: Sequence[Group], clip_norm: float | None) -> None:
        """Take the groups; `clip_norm` is the largest norm of all gradients together, None: any."""
        self._groups, self._clip_norm = groups, clip_norm

    def set_lr_factor(self, factor: float) -> None:
        """Set every learning rate of the next step to a multiple of its base rate."""
        for group in self._groups:
            group.set_lr(group.base_lr * factor)

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter that has a gradient, and drop the gradients."""
        if self._clip_norm is not None:
            parameters = [parameter for group in self._groups for parameter in group.parameters]
            nn.utils.clip_grad_norm_(parameters, self._clip_norm)
        for group in self._groups:
            group.step()


def open_optimiser(
    module: nn.Module, base_lrs: Mapping[str, float], weight_decay: float, section: TrainSection
) -> Optimiser:
    """Return the optimiser that the section names, for the parameters that have a base rate.

    Args:
        module: The whole network.
        base_lrs: Base learning rate by name of the parameter.
        weight_decay: Decay of a step, per unit of the learning rate.
        section: Method, momentum and clipping.
    """
    decayed = decayed_parameters(module)
    members: dict[tuple[float, float], list[Tensor]] = {}
    for name, parameter in module.named_parameters():
        if name in base_lrs:
            decay = weight_decay if name in decayed else 0.0
            members.setdefault((base_lrs[name], decay), []).append(parameter)
    new_group: Callable[[list[Tensor], float, float], Group] = AdamWGroup
    if section.optimiser == "sgd":
        new_group = partial(SGDGroup, momentum=section.momentum)
    groups = [new_group(parameters, *key) for key, parameters in members.items()]
    return Optimiser(groups, section.clip_norm)
