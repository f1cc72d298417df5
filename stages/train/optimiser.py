"""AdamW by its functional form.

Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019. Constructing
torch.optim.AdamW imports the compiler, a second that each fold would pay; the function does not.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.optim.adamw import adamw

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
