"""Augmentation of a whole batch at once, on the device where it trains."""

import torch
import torch.nn.functional as F  # noqa: N812 - PyTorch's own name for it
from torch import Tensor

from stages.augment.draws import Draws
from stages.contracts.recipe import Recipe

GREY = 127.5  # of an erased rectangle
BRIGHTEST = 255.0


def augment(pixels: Tensor, draws: Draws, recipe: Recipe) -> Tensor:
    """Return the batch as it is trained on, before normalisation.

    In this order: shift and flip, rotate, brightness and contrast, erase. What a shift or a
    rotation brings in from outside repeats the nearest pixel of the edge. Every image changes by
    its own draw, so a batch gives what its images give one by one.

    Args:
        pixels: (b, h, w, c) uint8.
        draws: Of these b images.
        recipe: What may be drawn; what it switches off costs nothing.

    Returns:
        (b, c, h, w) float32 in 0 .. 255, channels last in memory.
    """
    device = pixels.device
    if recipe.shift or recipe.flip:
        shift, flip = torch.from_numpy(draws.shift), torch.from_numpy(draws.flip)
        pixels = _shift_and_flip(pixels, shift.to(device), flip.to(device))
    images = as_images(pixels)
    if recipe.rotation:
        images = _rotate(images, torch.from_numpy(draws.angle).to(device))
    if recipe.brightness or recipe.contrast:
        factors = (torch.from_numpy(one).to(device) for one in (draws.brightness, draws.contrast))
        images = _recolour(images, *factors)
    if recipe.erase:
        images = _erase(images, torch.from_numpy(draws.erased).to(device))
    return images


def as_images(pixels: Tensor) -> Tensor:
    """Return (b, h, w, c) uint8 as (b, c, h, w) float32 in 0 .. 255, channels last in memory."""
    return pixels.permute(0, 3, 1, 2).float()


def _shift_and_flip(pixels: Tensor, shift: Tensor, flip: Tensor) -> Tensor:
    """Gather each pixel from where it was; flipped first, then shifted."""
    n, height, width, _ = pixels.shape
    rows = _sources(height, shift[:, 0], pixels.device)
    columns = _sources(width, shift[:, 1], pixels.device)
    columns = torch.where(flip[:, None], width - 1 - columns, columns)
    batch = torch.arange(n, device=pixels.device)[:, None, None]
    return pixels[batch, rows[:, :, None], columns[:, None, :]]  # (b, h, w, c)


def _sources(side: int, shift: Tensor, device: torch.device) -> Tensor:
    """Return where each position of a line comes from, (b, side), the edge repeated."""
    return (torch.arange(side, device=device) - shift[:, None]).clamp(0, side - 1)


def _rotate(images: Tensor, angle: Tensor) -> Tensor:
    """Rotate about the centre, counter-clockwise, bilinear."""
    height, width = images.shape[2:]
    cosine, sine, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    # Of each output point the source, in units of half a side: hence the aspect.
    first = torch.stack([cosine, -sine * height / width, zero], dim=1)
    second = torch.stack([sine * width / height, cosine, zero], dim=1)
    grid = F.affine_grid(torch.stack([first, second], dim=1), list(images.shape), False)
    rotated = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    return rotated.contiguous(memory_format=torch.channels_last)


def _recolour(images: Tensor, brightness: Tensor, contrast: Tensor) -> Tensor:
    """Scale, then move away from or towards the mean of the image."""
    bright = images * brightness[:, None, None, None]
    mean = bright.mean(dim=(1, 2, 3), keepdim=True)
    return (mean + (bright - mean) * contrast[:, None, None, None]).clamp(0, BRIGHTEST)


def _erase(images: Tensor, erased: Tensor) -> Tensor:
    height, width = images.shape[2:]
    rows = _inside(height, erased[:, 0], erased[:, 2])
    columns = _inside(width, erased[:, 1], erased[:, 3])
    return images.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], GREY)


def _inside(side: int, start: Tensor, length: Tensor) -> Tensor:
    """Return which pixels' centres lie in start .. start + length, (b, side)."""
    centres = (torch.arange(side, device=start.device) + 0.5) / side
    return (centres >= start[:, None]) & (centres < (start + length)[:, None])
