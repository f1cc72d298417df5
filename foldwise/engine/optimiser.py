"""AdamW with per-layer learning rates and a one-cycle schedule.

The schedule is that of Smith and Topin, "Super-convergence", 2018, with the cosine of fast.ai and
of torch's OneCycleLR: the learning rate rises from 1/25 of the base rate to the base rate, then
falls to 1/250,000 of it.
"""

import math
from collections.abc import Iterable, Iterator
from itertools import compress

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from foldwise.files.network import Network
from foldwise.files.params import TrainSection
from foldwise.nets.network import covers, frozen_at

START = 1 / 25  # of the base rate
END = START / 10_000  # of the base rate
BETAS = (0.9, 0.999)
EPSILON = 1e-8
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


class _Group:
    """Parameters with one base learning rate and one weight decay."""

    def __init__(self, parameters: list[Tensor], base_lr: float, weight_decay: float) -> None:
        self.base_lr, self._weight_decay = base_lr, weight_decay
        device = parameters[0].device
        # A tensor on a GPU: a captured step reads the rate of its turn from it.
        self._lr: float | Tensor = torch.zeros((), device=device) if device.type == "cuda" else 0
        self._parameters = parameters
        self._means = [torch.zeros_like(parameter) for parameter in parameters]
        self._squares = [torch.zeros_like(parameter) for parameter in parameters]
        self._n_steps = [torch.zeros((), device=device) for _ in parameters]

    def set_lr(self, lr: float) -> None:
        if isinstance(self._lr, Tensor):
            self._lr.fill_(lr)
        else:
            self._lr = lr

    def step(self) -> None:
        """Update parameters that have a gradient; frozen ones have none and keep their state."""
        has_grad = [parameter.grad is not None for parameter in self._parameters]
        parameters = list(compress(self._parameters, has_grad))
        adamw(
            params=parameters,
            grads=[parameter.grad for parameter in parameters if parameter.grad is not None],
            exp_avgs=list(compress(self._means, has_grad)),
            exp_avg_sqs=list(compress(self._squares, has_grad)),
            state_steps=list(compress(self._n_steps, has_grad)),
            max_exp_avg_sqs=[],
            fused=True,
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=self._lr,
            weight_decay=self._weight_decay,
            eps=EPSILON,
            maximize=False,
        )
        for parameter in parameters:
            parameter.grad = None


class AdamW:
    """AdamW with one learning rate per group of parameters, set before each step.

    Weight decay applies to matrices and kernels only, not to biases and normalisation, as in the
    reference scripts of timm and torchvision. torch.optim.AdamW gives the same numbers, but
    constructing it takes 1.7 s in a fresh process, because it imports torch._dynamo.
    """

    def __init__(self, parameters: Iterable[tuple[Tensor, float]], weight_decay: float) -> None:
        """Group the parameters.

        Args:
            parameters: Parameters, each with its base learning rate.
            weight_decay: Decay of a step, per unit of the learning rate.
        """
        groups: dict[tuple[float, float], list[Tensor]] = {}
        for parameter, base_lr in parameters:
            decay = weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((base_lr, decay), []).append(parameter)
        self._groups = [_Group(members, *key) for key, members in groups.items()]

    def set_lr_factor(self, factor: float) -> None:
        """Set every learning rate of the next step to a multiple of its base rate."""
        for group in self._groups:
            group.set_lr(group.base_lr * factor)

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter that has a gradient, and drop the gradients."""
        for group in self._groups:
            group.step()
