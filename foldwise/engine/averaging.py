"""Exponential moving average (EMA) of the weights of a network in training."""

import torch
from torch import nn


class WeightAverage:
    """Averages all weights and BatchNorm statistics over the steps.

    Buffers are averaged like weights, as in torchvision's reference training. The decay of step t,
    from 0, is at most (1 + t) / (10 + t), so that short trainings forget the initial weights.
    Values that do not change, such as frozen weights, stay to the bit.
    """

    def __init__(self, module: nn.Module, decay: float | None) -> None:
        """Copy the weights.

        Args:
            module: Its tensors are changed in place, never replaced.
            decay: Largest share of the average that a step keeps, 0 .. 1; None: there is
                no average, and the other methods do nothing.
        """
        tensors = [] if decay is None else [*module.parameters(), *module.buffers()]
        self._live = [tensor.detach() for tensor in tensors if tensor.is_floating_point()]
        self._stored = [tensor.clone() for tensor in self._live]  # the average, unless applied
        self._decay, self._n_steps = decay or 0.0, 0
        self._is_applied = False

    @torch.no_grad()
    def update(self) -> None:
        """Add the weights after a step."""
        if not self._live:
            return
        decay = min(self._decay, (1 + self._n_steps) / (10 + self._n_steps))
        self._n_steps += 1
        torch._foreach_lerp_(self._stored, self._live, 1 - decay)

    def apply(self) -> None:
        """Put the averages into the module, for evaluation."""
        if not self._is_applied:
            self._swap()

    def restore(self) -> None:
        """Put the weights that train back into the module."""
        if self._is_applied:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        self._is_applied = not self._is_applied
        for live, stored in zip(self._live, self._stored, strict=True):
            kept = live.clone()
            live.copy_(stored)
            stored.copy_(kept)
