"""What is drawn for every image in one epoch of one fold, and nothing else is random."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from foldwise.files.dataset import DatasetInfo
from foldwise.files.params import AugmentSection
from foldwise.files.split import Recipe

ERASED = (0.02, 0.33)  # share of the area; Zhong et al., "Random erasing", AAAI 2020, table 4
ASPECT = 0.3  # of the rectangle: 0.3 .. 1 / 0.3; the same table

Array = NDArray[np.float32]


@dataclass(frozen=True)
class AugmentationDraws:
    """One row an image of the data set, whether it trains in this fold or not.

    Attributes:
        shift: (n, 2) whole pixels down and right.
        flip: (n,) whether left and right change places.
        angle: (n,) radians, counter-clockwise.
        brightness: (n,) factor.
        contrast: (n,) factor.
        erased: (n, 4) top, left, height, width of a rectangle in shares of the side; 0 high and
            wide where nothing is erased.
    """

    shift: NDArray[np.int64]
    flip: NDArray[np.bool_]
    angle: Array
    brightness: Array
    contrast: Array
    erased: Array

    def take(self, index: NDArray[np.int64]) -> "AugmentationDraws":
        """Return the rows of some images, in their order."""
        return AugmentationDraws(
            self.shift[index],
            self.flip[index],
            self.angle[index],
            self.brightness[index],
            self.contrast[index],
            self.erased[index],
        )


def draw_augmentation(
    recipe: Recipe, n: int, seed: int, place: tuple[int, int, int]
) -> AugmentationDraws:
    """Draw the augmentation of every image for one epoch.

    An image's draw depends on the seed, the place and its position in the data set alone: not
    on the architecture, batches, threads or device, so all architectures of a fold train on the
    same images. Switching one part of the recipe off leaves the draws of the others.

    Args:
        recipe: What may be drawn.
        n: Images in the data set.
        seed: Of the data set.
        place: Repeat, fold and epoch.
    """
    return _draw(recipe, n, np.random.SeedSequence(seed, spawn_key=(*b"augment", *place)))


def draw_view(recipe: Recipe, n: int, seed: int, number: int) -> AugmentationDraws:
    """Draw one augmented view of every image, the same for all repeats, folds and epochs.

    For networks with a part that never trains: it sees each view once.

    Args:
        recipe: What may be drawn.
        n: Images in the data set.
        seed: Of the data set.
        number: Of the view, from 0.
    """
    return _draw(recipe, n, np.random.SeedSequence(seed, spawn_key=(*b"view", number)))


def _draw(recipe: Recipe, n: int, sequence: np.random.SeedSequence) -> AugmentationDraws:
    down, right, flip, angle, brightness, contrast, erase, *box = (
        np.random.default_rng(sequence).random((11, n)).astype(np.float32)
    )
    return AugmentationDraws(
        shift=np.stack([_whole(down, recipe.shift), _whole(right, recipe.shift)], axis=1),
        flip=flip < recipe.flip,
        angle=_around(0, angle, np.deg2rad(recipe.rotation)),
        brightness=_around(1, brightness, recipe.brightness),
        contrast=_around(1, contrast, recipe.contrast),
        erased=_rectangles(np.stack(box), erase < recipe.erase),
    )


def _whole(uniform: Array, most: int) -> NDArray[np.int64]:
    """Return whole numbers from -most to most."""
    numbers = np.floor(uniform * (2 * most + 1)).astype(np.int64) - most
    return np.minimum(numbers, most)  # a float32 just under 1 may round up to it


def _around(centre: float, uniform: Array, most: float) -> Array:
    return (centre + (2 * uniform - 1) * most).astype(np.float32)


def _rectangles(box: Array, is_erased: NDArray[np.bool_]) -> Array:
    """Return top, left, height and width; inside the image, whatever its aspect."""
    area = ERASED[0] + box[0] * (ERASED[1] - ERASED[0])
    aspect = np.exp((2 * box[1] - 1) * -np.log(ASPECT))
    height = np.minimum(np.sqrt(area * aspect), 1) * is_erased
    width = np.minimum(np.sqrt(area / aspect), 1) * is_erased
    top, left = box[2] * (1 - height), box[3] * (1 - width)
    return np.stack([top, left, height, width], axis=1).astype(np.float32)


GREY = 127.5  # of an erased rectangle
BRIGHTEST = 255.0


def augment(pixels: Tensor, draws: AugmentationDraws, recipe: Recipe) -> Tensor:
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
    grid = functional.affine_grid(torch.stack([first, second], dim=1), list(images.shape), False)
    rotated = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
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


def resolve_recipe(section: AugmentSection, info: DatasetInfo) -> Recipe:
    """Return the recipe for the images of a data set.

    Args:
        section: What params.yaml asks for.
        info: Of the data set; a shift is a share of its shorter side, rounded to whole pixels.
    """
    return Recipe(
        shift=round(section.shift * min(info.height, info.width)),
        flip=section.flip,
        rotation=section.rotation,
        erase=section.erase,
        brightness=section.brightness,
        contrast=section.contrast,
    )
