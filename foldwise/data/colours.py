"""Batched changes of colours, with the formulas of torchvision; each image has its own factor."""

import torch
from torch import Tensor

from foldwise.core.errors import InputError
from foldwise.files.dataset import PIXEL_MAX, RGB

LUMA = (0.2989, 0.587, 0.114)  # of red, green and blue in grey; ITU-R BT.601


def require_grey_or_rgb(key: str, channels: int) -> None:
    """Check that a part of the augmentation that works on colours has colours or grey.

    Raises:
        InputError: If the images have neither one channel nor three.
    """
    if channels not in (1, RGB):
        raise InputError(
            f"augment.{key} changes colours, and the images have {channels} channels; only grey "
            f"and RGB images have colours: set augment.{key} to 0"
        )


def grey(images: Tensor) -> Tensor:
    """Return the luma of RGB images, (b, 1, h, w); images of one channel as they are."""
    if images.shape[1] != RGB:
        return images
    return (images * images.new_tensor(LUMA)[:, None, None]).sum(dim=1, keepdim=True)


def blend(images: Tensor, others: Tensor, factor: Tensor) -> Tensor:
    """Return others + factor × (images - others), within 0 .. 255.

    Args:
        images: (b, c, h, w) in 0 .. 255.
        others: Broadcasts to the images.
        factor: (b,); 1 gives the images.
    """
    return (others + (images - others) * factor[:, None, None, None]).clamp(0, PIXEL_MAX)


def scale_saturation(images: Tensor, factor: Tensor) -> Tensor:
    """Scale the distance of each pixel from its grey, (b,) factors. Grey images stay."""
    return blend(images, grey(images), factor)


def turn_hue(images: Tensor, turn: Tensor) -> Tensor:
    """Turn the hue in HSV by (b,) shares of the colour circle. Grey images stay."""
    if images.shape[1] != RGB:
        return images
    red, green, blue = images.unbind(dim=1)  # (b, h, w) each
    value = images.amax(dim=1)
    chroma = value - images.amin(dim=1)
    width = torch.where(chroma > 0, chroma, 1)
    sector = torch.where(value == green, (blue - red) / width + 2, (red - green) / width + 4)
    sector = torch.where(value == red, (green - blue) / width, sector) + 6 * turn[:, None, None]
    turned = []
    for first in (5, 3, 1):  # red, green, blue
        place = (first + sector) % 6
        turned.append(value - chroma * torch.minimum(place, 4 - place).clamp(0, 1))
    return torch.stack(turned, dim=1).contiguous(memory_format=torch.channels_last)
