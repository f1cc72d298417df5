"""One step of training."""

import torch
from torch import Tensor, nn

from stages.build.network import loss_of
from stages.train.hardware import Hardware
from stages.train.optimiser import AdamW


class Step:
    """Forward, backward, and a move of the weights at the rates that the optimiser has."""

    def __init__(self, module: nn.Module, optimiser: AdamW, hardware: Hardware) -> None:
        """Take what trains.

        Args:
            module: On the device, in train mode.
            optimiser: Of its parameters.
            hardware: Where, and in which precision.
        """
        self._module, self._optimiser, self._hardware = module, optimiser, hardware

    def __call__(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Move the weights by one batch and return its loss, still on the device.

        Args:
            inputs: (b, ...).
            labels: (b,) true class.
        """
        with self._hardware.autocast():
            loss = loss_of(self._module(inputs), labels)
        torch.autograd.backward(loss)
        self._optimiser.step()
        return loss.detach()

    def forget(self) -> None:
        """Drop the gradients of a step that was not finished."""
        self._module.zero_grad()
