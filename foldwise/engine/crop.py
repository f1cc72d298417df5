"""Convolutions without the taps of a kernel that only ever see padding.

Small images leave the late layers of classic networks maps of one or two pixels: of a 3×3 kernel
that pads one pixel by one, eight of nine taps meet zeros alone. Their products are zeros, and so
are their gradients, which oneDNN computes at an eighth of its usual speed.
"""

from functools import cache

import torch
from torch import Tensor, nn

BATCH = 4  # dimensions of images with channels


class CroppedConv2d(nn.Conv2d):
    """A convolution that leaves such taps out."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch calls it so
        """Do as nn.Conv2d does."""
        padding, maps = self.padding, input.shape[-2:]
        is_usual = input.ndim == BATCH and self.padding_mode == "zeros" and self.dilation == (1, 1)
        if isinstance(padding, str) or not is_usual:
            return super().forward(input)
        axes = zip(maps, self.kernel_size, self.stride, padding, strict=True)
        (rows, above), (columns, left) = (seeing_taps(*axis) for axis in axes)
        weight = self.weight[:, :, rows, columns]
        if weight.shape == self.weight.shape:
            return super().forward(input)
        return torch.conv2d(input, weight, self.bias, self.stride, (above, left), 1, self.groups)


def crop_kernels(module: nn.Module) -> nn.Module:
    """Let every convolution of a module leave such taps out, and return the module.

    Classes derived from nn.Conv2d may do something else, and stay.
    """
    for one in module.modules():
        if type(one) is nn.Conv2d:
            one.__class__ = CroppedConv2d  # with all that it has: names, weights, hooks
    return module


@cache
def seeing_taps(size: int, kernel: int, stride: int, padding: int) -> tuple[slice, int]:
    """Return the taps of a kernel that see a pixel at some place, and the padding that they need.

    Along one axis. All taps, where none sees a pixel or no symmetric padding gives as many outputs.

    Args:
        size: Pixels.
        kernel: Taps.
        stride: Pixels from one place to the next.
        padding: Zeros at either end.
    """
    places = _places(size, kernel, stride, padding)
    first, end = max(0, padding - (places - 1) * stride), min(kernel, size + padding)
    if first >= end or _places(size, end - first, stride, padding - first) != places:
        return slice(0, kernel), padding
    return slice(first, end), padding - first


def _places(size: int, kernel: int, stride: int, padding: int) -> int:
    return (size + 2 * padding - kernel) // stride + 1
