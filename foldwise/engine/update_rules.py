"""Update rules of the optimisers: AdamW, and SGD with Nesterov momentum."""

from abc import ABC, abstractmethod
from itertools import compress

import torch
from torch import Tensor
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class Group(ABC):
    """Parameters with one base learning rate and one weight decay.

    Attributes:
        base_lr: Their base learning rate.
        parameters: All of them.
    """

    def __init__(self, parameters: list[Tensor], base_lr: float, weight_decay: float) -> None:
        self.base_lr, self._weight_decay = base_lr, weight_decay
        device = parameters[0].device
        # A tensor on a GPU: a captured step reads the rate of its turn from it.
        self._lr: float | Tensor = torch.zeros((), device=device) if device.type == "cuda" else 0
        self.parameters = parameters

    def set_lr(self, lr: float) -> None:
        """Set the learning rate of the next step."""
        if isinstance(self._lr, Tensor):
            self._lr.fill_(lr)
        else:
            self._lr = lr

    def step(self) -> None:
        """Update parameters that have a gradient; frozen ones have none and keep their state."""
        has_grad = [parameter.grad is not None for parameter in self.parameters]
        parameters = list(compress(self.parameters, has_grad))
        grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
        self._update(parameters, grads, has_grad)
        for parameter in parameters:
            parameter.grad = None

    @abstractmethod
    def _update(self, parameters: list[Tensor], grads: list[Tensor], has_grad: list[bool]) -> None:
        """Update the parameters that have a gradient."""


class AdamWGroup(Group):
    """Parameters that AdamW updates."""

    def __init__(self, parameters: list[Tensor], base_lr: float, weight_decay: float) -> None:
        super().__init__(parameters, base_lr, weight_decay)
        self._means = [torch.zeros_like(parameter) for parameter in parameters]
        self._squares = [torch.zeros_like(parameter) for parameter in parameters]
        self._n_steps = [torch.zeros((), device=parameter.device) for parameter in parameters]

    def _update(self, parameters: list[Tensor], grads: list[Tensor], has_grad: list[bool]) -> None:
        adamw(
            params=parameters,
            grads=grads,
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


class SGDGroup(Group):
    """Parameters that SGD updates, with Nesterov momentum."""

    def __init__(
        self, parameters: list[Tensor], base_lr: float, weight_decay: float, momentum: float
    ) -> None:
        super().__init__(parameters, base_lr, weight_decay)
        self._momentum = momentum
        # Zeros, not None: the first step gives the same, and a captured step needs them.
        self._means = [torch.zeros_like(parameter) for parameter in parameters]

    def _update(self, parameters: list[Tensor], grads: list[Tensor], has_grad: list[bool]) -> None:
        sgd(
            params=parameters,
            d_p_list=grads,
            momentum_buffer_list=list(compress(self._means, has_grad)),
            fused=True,
            weight_decay=self._weight_decay,
            momentum=self._momentum,
            lr=self._lr,
            dampening=0,
            nesterov=self._momentum > 0,
            maximize=False,
        )
