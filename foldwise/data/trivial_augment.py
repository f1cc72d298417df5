"""TrivialAugment: one random operation of random strength for each image.

Müller and Hutter, "TrivialAugment", ICCV 2021, wide search space. Operations and strengths are
those of torchvision's TrivialAugmentWide: nearest pixel, black outside the image. Deviation: a
translation is at most the side of the image, for images smaller than 32 pixels.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from foldwise.data.colours import blend, grey, scale_saturation
from foldwise.files.dataset import PIXEL_MAX

N_UNIFORMS = 4  # per image: whether, which operation, strength, sign
N_STRENGTHS = 31
MAX_SHIFT = 32  # pixels
LEVELS = 256  # of a channel
SMALLEST = 3  # pixels of a side that can be sharpened

Array = NDArray[np.float32]
Apply = Callable[[Tensor, Tensor], Tensor]  # images (b, c, h, w) and their strengths (b,)


@dataclass(frozen=True)
class Operation:
    """An operation with its strengths.

    Attributes:
        apply: Takes images and their strengths.
        strengths: (N_STRENGTHS,).
        is_signed: Whether the strength is negative for half of the images.
    """

    apply: Apply
    strengths: NDArray[np.float64]
    is_signed: bool = False


def trivial_augment(images: Tensor, uniforms: Array, probability: float) -> Tensor:
    """Return images of which each had one operation.

    Images with the same operation run together.

    Args:
        images: (b, c, h, w) in 0 .. 255, grey or RGB.
        uniforms: (b, N_UNIFORMS) uniform draws of these images.
        probability: Of an operation.
    """
    number, strength = choose(uniforms, probability)
    strengths = torch.from_numpy(strength).to(images.device)
    out = images.clone(memory_format=torch.preserve_format)
    for which in np.unique(number):
        rows = torch.from_numpy(np.flatnonzero(number == which)).to(images.device)
        out[rows] = OPERATIONS[which].apply(images[rows], strengths[rows])
    return out


def choose(uniforms: Array, probability: float) -> tuple[NDArray[np.int64], Array]:
    """Return the index in OPERATIONS and the strength of each image, (b,) each."""
    happens, which, level, sign = uniforms.T
    number = _integers(which, len(OPERATIONS)) * (happens < probability)
    strength = _STRENGTHS[number, _integers(level, N_STRENGTHS)]
    strength = np.where(_IS_SIGNED[number] & (sign < 1 / 2), -strength, strength)
    return number, strength.astype(np.float32)


def _integers(uniform: Array, n: int) -> NDArray[np.int64]:
    """Return integers from 0 to n - 1."""
    return np.minimum((uniform * n).astype(np.int64), n - 1)  # float32 may round up to n


def _warp(images: Tensor, matrix: list[list[Tensor | float]]) -> Tensor:
    """Take each pixel from the nearest source pixel; outside the image is black.

    Args:
        images: (b, c, h, w).
        matrix: 2 × 3 entries, (b,) or numbers: from the position of a pixel, in pixels right of
            and below the centre, to that of its source.
    """
    n, channels, height, width = images.shape
    right = torch.arange(width, device=images.device) - (width - 1) / 2
    down = (torch.arange(height, device=images.device) - (height - 1) / 2)[:, None]

    def source(row: list[Tensor | float], side: int) -> Tensor:
        by_right, by_down, shift = (
            entry[:, None, None] if isinstance(entry, Tensor) else entry for entry in row
        )
        place = right * by_right + down * by_down + shift + (side - 1) / 2
        return place.round().long().expand(n, height, width)

    column, row = source(matrix[0], width), source(matrix[1], height)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    index = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
    flat = images.flatten(2)  # (b, c, h * w)
    moved = flat.gather(2, index.flatten(1)[:, None].expand_as(flat))
    return moved.reshape(n, channels, height, width) * inside[:, None]


def _shear_right(images: Tensor, strength: Tensor) -> Tensor:
    return _warp(images, [[1.0, strength, strength * (images.shape[2] / 2)], [0.0, 1.0, 0.0]])


def _shear_down(images: Tensor, strength: Tensor) -> Tensor:
    return _warp(images, [[1.0, 0.0, 0.0], [strength, 1.0, strength * (images.shape[3] / 2)]])


def _move_right(images: Tensor, strength: Tensor) -> Tensor:
    return _warp(images, [[1.0, 0.0, -_pixels(strength, images.shape[3])], [0.0, 1.0, 0.0]])


def _move_down(images: Tensor, strength: Tensor) -> Tensor:
    return _warp(images, [[1.0, 0.0, 0.0], [0.0, 1.0, -_pixels(strength, images.shape[2])]])


def _pixels(strength: Tensor, side: int) -> Tensor:
    return (strength * min(MAX_SHIFT, side)).trunc()


def _rotate(images: Tensor, degrees: Tensor) -> Tensor:
    """Rotate counter-clockwise."""
    cosine, sine = degrees.deg2rad().cos(), degrees.deg2rad().sin()
    return _warp(images, [[cosine, -sine, 0.0], [sine, cosine, 0.0]])


def _brighten(images: Tensor, strength: Tensor) -> Tensor:
    return blend(images, torch.zeros_like(images), 1 + strength)


def _saturate(images: Tensor, strength: Tensor) -> Tensor:
    return scale_saturation(images, 1 + strength)


def _change_contrast(images: Tensor, strength: Tensor) -> Tensor:
    return blend(images, grey(images).mean(dim=(1, 2, 3), keepdim=True), 1 + strength)


def _sharpen(images: Tensor, strength: Tensor) -> Tensor:
    """Blend with a 3 × 3 blur whose centre weighs five times its neighbours; the edge stays."""
    if min(images.shape[2:]) < SMALLEST:
        return images
    blurred, inner = images.clone(), (..., slice(1, -1), slice(1, -1))
    blurred[inner] = (9 * functional.avg_pool2d(images, 3, stride=1) + 4 * images[inner]) / 13
    return blend(images, blurred, 1 + strength)


def _posterize(images: Tensor, bits: Tensor) -> Tensor:
    """Keep the highest bits of each value."""
    step = (2 ** (8 - bits))[:, None, None, None]
    return (images.round() / step).floor() * step


def _solarize(images: Tensor, threshold: Tensor) -> Tensor:
    """Invert the values from the threshold on."""
    return torch.where(images >= threshold[:, None, None, None], PIXEL_MAX - images, images)


def _auto_contrast(images: Tensor, _: Tensor) -> Tensor:
    """Stretch each channel to 0 .. 255."""
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    is_flat = high == low
    stretched = (images - low) * (PIXEL_MAX / torch.where(is_flat, 1, high - low))
    return torch.where(is_flat, images, stretched.clamp(0, PIXEL_MAX))


def _equalize(images: Tensor, _: Tensor) -> Tensor:
    """Make the histogram of each channel as flat as whole steps allow."""
    values = images.round().long().flatten(2)  # (b, c, h * w)
    counts = values.new_zeros((*values.shape[:2], LEVELS))
    counts.scatter_add_(2, values, torch.ones_like(values))
    n_up_to = counts.cumsum(2)
    brightest = values.amax(2, keepdim=True)
    step = (values.shape[2] - counts.gather(2, brightest)) // (LEVELS - 1)
    table = (n_up_to + step // 2) // step.clamp(min=1)
    table = functional.pad(table[:, :, :-1], (1, 0)).clamp(0, LEVELS - 1)
    equal = torch.where(step > 0, table.gather(2, values), values)
    return equal.to(images.dtype).reshape(images.shape)


def _unchanged(images: Tensor, _: Tensor) -> Tensor:
    return images


_NONE = np.zeros(N_STRENGTHS)
_SHARE = np.linspace(0, 1, N_STRENGTHS)
OPERATIONS = (  # the first is that of images without an operation
    Operation(_unchanged, _NONE),
    Operation(_shear_right, 0.99 * _SHARE, is_signed=True),
    Operation(_shear_down, 0.99 * _SHARE, is_signed=True),
    Operation(_move_right, _SHARE, is_signed=True),
    Operation(_move_down, _SHARE, is_signed=True),
    Operation(_rotate, 135 * _SHARE, is_signed=True),  # degrees
    Operation(_brighten, 0.99 * _SHARE, is_signed=True),
    Operation(_saturate, 0.99 * _SHARE, is_signed=True),
    Operation(_change_contrast, 0.99 * _SHARE, is_signed=True),
    Operation(_sharpen, 0.99 * _SHARE, is_signed=True),
    Operation(_posterize, 8 - np.round(6 * _SHARE)),  # bits
    Operation(_solarize, PIXEL_MAX * (1 - _SHARE)),
    Operation(_auto_contrast, _NONE),
    Operation(_equalize, _NONE),
)
_STRENGTHS = np.stack([operation.strengths for operation in OPERATIONS])
_IS_SIGNED = np.array([operation.is_signed for operation in OPERATIONS])
