"""The learning rate of each step: one cycle.

Smith and Topin, "Super-convergence", 2018, with the cosine of fast.ai and of torch's OneCycleLR:
from a 25th of the peak up to it, then down to a 250,000th of it.
"""

import math
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from foldwise.files.network import Network
from foldwise.files.params import TrainSection
from foldwise.nets.network import covers, frozen_at

START = 1 / 25  # of the peak
END = START / 10_000  # of the peak


def one_cycle(step: int, n_steps: int, peak: float, warmup: float) -> float:
    """Return the learning rate of a step.

    Args:
        step: 0 .. n_steps - 1.
        n_steps: Of the whole training.
        peak: The highest rate.
        warmup: Share of the steps before the peak, 0 .. 1.
    """
    top = max(warmup * n_steps - 1, 0)
    if step < top:
        return peak * _between(START, 1, step / top)
    down = n_steps - 1 - top
    return peak * _between(1, END, (step - top) / down if down else 0)


def _between(first: float, last: float, share: float) -> float:
    """Return the point at a share of the way along half a cosine."""
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2


HALF = 0.5


def base_learning_rates(
    module: nn.Module, network: Network, section: TrainSection
) -> dict[str, float]:
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
    depth = layer_depths(module)
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


def layer_depths(module: nn.Module) -> dict[str, int]:
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


BETAS = (0.9, 0.999)
EPSILON = 1e-8


class _Group:
    """Parameters with one peak and one weight decay, and their moments."""

    def __init__(self, parameters: list[Tensor], peak: float, weight_decay: float) -> None:
        self._peak, self._weight_decay = peak, weight_decay
        device = parameters[0].device
        # On a GPU a tensor: a captured step reads the rate of its turn from it.
        self._rate: float | Tensor = torch.zeros((), device=device) if device.type == "cuda" else 0
        self._rows = [
            (one, torch.zeros_like(one), torch.zeros_like(one), torch.zeros((), device=one.device))
            for one in parameters  # with mean, mean of squares and number of steps
        ]

    def set_rate(self, rate_of: Callable[[float], float]) -> None:
        """Take the learning rate of the next step."""
        rate = rate_of(self._peak)
        if isinstance(self._rate, Tensor):
            self._rate.fill_(rate)
        else:
            self._rate = rate

    def step(self) -> None:
        """Move what has a gradient: what is frozen still has none, and keeps its moments at 0."""
        rows = [(*row, row[0].grad) for row in self._rows if row[0].grad is not None]
        adamw(
            params=[row[0] for row in rows],
            exp_avgs=[row[1] for row in rows],
            exp_avg_sqs=[row[2] for row in rows],
            max_exp_avg_sqs=[],
            state_steps=[row[3] for row in rows],
            grads=[row[4] for row in rows],
            fused=True,
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=self._rate,
            weight_decay=self._weight_decay,
            eps=EPSILON,
            maximize=False,
        )
        for row in rows:
            row[0].grad = None


class AdamW:
    """AdamW of all parameters that train at some time; each step is given its rates first.

    Weight decay falls on the matrices and kernels only, not on biases and normalisation, as
    timm and torchvision's references do.
    """

    def __init__(self, parameters: Iterable[tuple[Tensor, float]], weight_decay: float) -> None:
        """Take the parameters.

        Args:
            parameters: Each with the peak of its learning rate.
            weight_decay: Per unit of the learning rate.
        """
        groups: dict[tuple[float, float], list[Tensor]] = {}
        for one, peak in parameters:
            decay = weight_decay if one.ndim > 1 else 0.0
            groups.setdefault((peak, decay), []).append(one)
        self._groups = [_Group(ones, *key) for key, ones in groups.items()]

    def set_rates(self, rate_of: Callable[[float], float]) -> None:
        """Take the learning rates of the next step.

        Args:
            rate_of: The rate of a parameter, from its peak.
        """
        for group in self._groups:
            group.set_rate(rate_of)

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter that has a gradient, and drop the gradients."""
        for group in self._groups:
            group.step()
