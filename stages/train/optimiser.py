"""AdamW by its functional form.

Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019. Constructing
torch.optim.AdamW imports the compiler, a second that each fold would pay; the function does not.
"""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim.adamw import adamw

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class _Group:
    """Parameters with one weight decay, and their moments."""

    def __init__(self, parameters: list[Tensor], weight_decay: float) -> None:
        self._weight_decay = weight_decay
        self._rows = [
            (one, torch.zeros_like(one), torch.zeros_like(one), torch.zeros((), device=one.device))
            for one in parameters  # with mean, mean of squares and number of steps
        ]

    def step(self, learning_rate: float) -> None:
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
            lr=learning_rate,
            weight_decay=self._weight_decay,
            eps=EPSILON,
            maximize=False,
        )
        for row in rows:
            row[0].grad = None


class AdamW:
    """AdamW of all parameters that train; one call a step.

    Weight decay falls on the matrices and kernels only, not on biases and normalisation, as
    timm and torchvision's references do.
    """

    def __init__(self, parameters: Iterable[Tensor], weight_decay: float) -> None:
        """Take the parameters that require gradients.

        Args:
            parameters: Of the network; frozen ones are left alone.
            weight_decay: Per unit of the learning rate.
        """
        trained = [one for one in parameters if one.requires_grad]
        kernels = [one for one in trained if one.ndim > 1]
        others = [one for one in trained if one.ndim <= 1]
        self._groups = [_Group(kernels, weight_decay), _Group(others, 0.0)]

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Move every parameter that has a gradient, and drop the gradients.

        Args:
            learning_rate: Of this step.
        """
        for group in self._groups:
            group.step(learning_rate)
