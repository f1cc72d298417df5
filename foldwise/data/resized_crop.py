"""Random crops resized back to the size of the image, as torchvision's RandomResizedCrop."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

ASPECT = 3 / 4  # width to height of a crop: 3 / 4 .. 4 / 3, as in torchvision
N_UNIFORMS = 4  # per image: area, aspect ratio, top, left


def crop_boxes(
    uniforms: NDArray[np.float32], smallest: float, sides: tuple[int, ...]
) -> NDArray[np.int64]:
    """Return top, left, height and width of crops in pixels, (n, 4).

    The share of the area is uniform from the smallest to 1. The aspect ratio is uniform in its
    logarithm, and as close to the draw as the image allows: no area is drawn again.
    """
    height, width = sides
    area = smallest + uniforms[:, 0] * (1 - smallest)
    aspect = np.exp((2 * uniforms[:, 1] - 1) * -np.log(ASPECT))
    aspect = np.clip(aspect, area * width / height, width / (area * height))
    high = np.sqrt(area * height * width / aspect).round().clip(1, height)
    wide = np.sqrt(area * height * width * aspect).round().clip(1, width)
    top = np.minimum(uniforms[:, 2] * (height - high + 1), height - high)
    left = np.minimum(uniforms[:, 3] * (width - wide + 1), width - wide)
    return np.stack([top, left, high, wide], axis=1).astype(np.int64)


def resize_crops(images: Tensor, boxes: Tensor) -> Tensor:
    """Resize the crops (b, 4) to the size of the images, bilinear, from pixels of the crop."""
    height, width = images.shape[2:]
    top, left, high, wide = boxes.float().T
    grid = [_positions(width, left, wide)[:, None, :].expand(-1, height, -1)]
    grid.append(_positions(height, top, high)[:, :, None].expand(-1, -1, width))
    crops = functional.grid_sample(
        images, torch.stack(grid, dim=3), padding_mode="border", align_corners=False
    )
    return crops.contiguous(memory_format=torch.channels_last)


def _positions(side: int, start: Tensor, length: Tensor) -> Tensor:
    """Return the source of each row or column, (b, side), in -1 .. 1 as grid_sample takes it."""
    centres = (torch.arange(side, device=start.device) + 0.5) / side
    inside = (centres * length[:, None] - 0.5).clamp(min=0).minimum(length[:, None] - 1)
    return (2 * (start[:, None] + inside) + 1) / side - 1
