"""Convolutions that skip kernel taps which only ever multiply padding.

On small images, the late layers of classic networks have maps of one or two pixels. With a map of
one pixel, eight of the nine taps of a padded 3×3 kernel only meet zeros. Their products and
gradients are zeros too, and oneDNN computes them at an eighth of its usual speed.
"""

from functools import cache

import torch
from torch import Tensor, nn

BATCH_DIMS = 4  # (b, c, h, w)


class CroppedConv2d(nn.Conv2d):
    """A convolution that skips such taps; state and results are those of nn.Conv2d."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name is torch's
        """Return the convolution of images, (b, c, h, w)."""
        padding = self.padding
        is_plain = self.padding_mode == "zeros" and self.dilation == (1, 1)
        if isinstance(padding, str) or not is_plain or input.ndim != BATCH_DIMS:
            return super().forward(input)
        axes = zip(input.shape[-2:], self.kernel_size, self.stride, padding, strict=True)
        (rows, top), (columns, left) = (useful_taps(*axis) for axis in axes)
        weight = self.weight[:, :, rows, columns]
        if weight.shape == self.weight.shape:
            return super().forward(input)
        return torch.conv2d(input, weight, self.bias, self.stride, (top, left), 1, self.groups)


def crop_kernels(module: nn.Module) -> nn.Module:
    """Make every nn.Conv2d inside a module skip such taps, and return the module.

    Subclasses of nn.Conv2d may compute something else, so they stay as they are.
    """
    for child in module.modules():
        if type(child) is nn.Conv2d:
            # Not a new module: parameters, names and hooks stay. CroppedConv2d adds no state.
            child.__class__ = CroppedConv2d
    return module


@cache
def useful_taps(size: int, kernel: int, stride: int, padding: int) -> tuple[slice, int]:
    """Return the kernel taps that meet a pixel, and the padding that they need, along one axis.

    Returns all taps if none meets a pixel, or if no symmetric padding gives as many outputs.

    Args:
        size: Pixels of the input.
        kernel: Taps of the kernel.
        stride: Pixels between two outputs.
        padding: Zeros at either end.
    """
    n_outputs = _n_outputs(size, kernel, stride, padding)
    first, end = max(0, padding - (n_outputs - 1) * stride), min(kernel, size + padding)
    if first >= end or _n_outputs(size, end - first, stride, padding - first) != n_outputs:
        return slice(0, kernel), padding
    return slice(first, end), padding - first


def _n_outputs(size: int, kernel: int, stride: int, padding: int) -> int:
    return (size + 2 * padding - kernel) // stride + 1
