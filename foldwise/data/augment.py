"""Augmentation: the random draws of each image, and the transforms that apply them."""

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from foldwise.data import resized_crop, trivial_augment
from foldwise.data.colours import require_grey_or_rgb, scale_saturation, turn_hue
from foldwise.files.dataset import PIXEL_MAX
from foldwise.files.params import AugmentSection

# Zhong et al., "Random erasing", AAAI 2020, table 4.
ERASED_AREA = (0.02, 0.33)  # share of the image
ASPECT = 0.3  # aspect ratio of the rectangle: 0.3 .. 1 / 0.3
ERASED_VALUE = 127.5  # grey
# Parts with a random stream of their own, and their uniform numbers per image.
OWN_STREAM = {
    "vertical_flip": 1,
    "resized_crop": resized_crop.N_UNIFORMS,
    "trivial_augment": trivial_augment.N_UNIFORMS,
    "saturation": 1,
    "hue": 1,
}
OF_BATCHES = {"mixup", "cutmix"}  # not of single images: foldwise/data/mixing.py

Array = NDArray[np.float32]


@dataclass(frozen=True)
class AugmentationDraws:
    """The random draws of one epoch: one row per image of the data set.

    Attributes:
        shift: (n, 2) whole pixels down and right.
        flip: (n,) whether the image is mirrored left to right.
        angle: (n,) radians, counter-clockwise.
        brightness: (n,) factor.
        contrast: (n,) factor.
        erased: (n, 4) top, left, height and width of a rectangle as shares of the side; height
            and width are 0 if nothing is erased.
        uniforms: (n, m) uniform numbers 0 .. 1 of each part of OWN_STREAM that is on.
    """

    shift: NDArray[np.int64]
    flip: NDArray[np.bool_]
    angle: Array
    brightness: Array
    contrast: Array
    erased: Array
    uniforms: dict[str, Array] = field(default_factory=dict)

    def take(self, index: NDArray[np.int64]) -> "AugmentationDraws":
        """Return the rows of the images at these positions, in this order."""
        rows = {name: value[index] for name, value in vars(self).items() if name != "uniforms"}
        uniforms = {part: values[index] for part, values in self.uniforms.items()}
        return replace(self, **rows, uniforms=uniforms)


def draw_augmentation(
    recipe: AugmentSection, shape: tuple[int, ...], seed: int, place: tuple[int, int, int]
) -> AugmentationDraws:
    """Draw the augmentation of every image for one epoch.

    The draw of an image depends only on the seed, the place and its position in the data set. It
    does not depend on the architecture, batches, threads or device, so all architectures train on
    the same images. Switching one part of the recipe off does not change the draws of the others.

    Args:
        recipe: The ranges and probabilities.
        shape: (n, h, w, ...) of all images, whether or not they train in this fold.
        seed: The seed of the data set.
        place: The numbers of repeat, fold and epoch.
    """
    return _draw(recipe, shape, seed, ("augment", *place))


def draw_view(
    recipe: AugmentSection, shape: tuple[int, ...], seed: int, number: int
) -> AugmentationDraws:
    """Draw the augmentation of one cached view, the same for all repeats, folds and epochs.

    Frozen layers run once per view; their features are cached.

    Args:
        recipe: The ranges and probabilities.
        shape: (n, h, w, ...) of the images.
        seed: The seed of the data set.
        number: The number of the view, from 0.
    """
    return _draw(recipe, shape, seed, ("view", number))


def augment(pixels: Tensor, draws: AugmentationDraws, recipe: AugmentSection) -> Tensor:
    """Return an augmented batch, not normalised yet.

    The order is: flips, shift, resized crop, rotation, TrivialAugment, brightness, contrast,
    saturation, hue, erasing. Pixels from outside the image repeat the nearest pixel of the edge;
    in TrivialAugment they are black. Each image has its own draws, so its result does not depend
    on the other images of the batch. Mixing is not part of it.

    Args:
        pixels: (b, h, w, c) uint8.
        draws: The draws of these b images.
        recipe: The ranges and probabilities; parts that are 0 are skipped.

    Returns:
        (b, c, h, w) float32 in 0 .. 255, channels last in memory.

    Raises:
        InputError: If a part changes colours, and the images are neither grey nor RGB.
    """
    if recipe.shift or recipe.flip:
        shift, flip = _tensor(draws.shift, pixels), _tensor(draws.flip, pixels)
        pixels = _shift_and_flip(pixels, shift, flip)
    if recipe.vertical_flip:
        flip = _tensor(draws.uniforms["vertical_flip"] < recipe.vertical_flip, pixels)
        pixels = torch.where(flip[:, :, None, None], pixels.flip(1), pixels)
    images = _change_colours(_resample(as_images(pixels), draws, recipe), draws, recipe)
    if recipe.erase:
        images = _erase(images, _tensor(draws.erased, pixels))
    return images


def _resample(images: Tensor, draws: AugmentationDraws, recipe: AugmentSection) -> Tensor:
    """Apply the parts that compute pixels from their neighbours, and TrivialAugment."""
    if recipe.resized_crop:
        uniforms = draws.uniforms["resized_crop"]
        boxes = resized_crop.crop_boxes(uniforms, recipe.resized_crop, images.shape[2:])
        images = resized_crop.resize_crops(images, _tensor(boxes, images))
    if recipe.rotation:
        images = _rotate(images, _tensor(draws.angle, images))
    if recipe.trivial_augment:
        require_grey_or_rgb("trivial_augment", images.shape[1])
        uniforms = draws.uniforms["trivial_augment"]
        images = trivial_augment.trivial_augment(images, uniforms, recipe.trivial_augment)
    return images


def _change_colours(images: Tensor, draws: AugmentationDraws, recipe: AugmentSection) -> Tensor:
    if recipe.brightness or recipe.contrast:
        brightness, contrast = _tensor(draws.brightness, images), _tensor(draws.contrast, images)
        images = _scale_colours(images, brightness, contrast)
    if recipe.saturation:
        require_grey_or_rgb("saturation", images.shape[1])
        factor = _around(1, draws.uniforms["saturation"][:, 0], recipe.saturation)
        images = scale_saturation(images, _tensor(factor, images))
    if recipe.hue:
        require_grey_or_rgb("hue", images.shape[1])
        turn = _around(0, draws.uniforms["hue"][:, 0], recipe.hue)
        images = turn_hue(images, _tensor(turn, images))
    return images


def _tensor(rows: NDArray[np.generic], images: Tensor) -> Tensor:
    """Return an array on the device of the images."""
    return torch.from_numpy(rows).to(images.device)


def as_images(pixels: Tensor) -> Tensor:
    """Return (b, h, w, c) uint8 as (b, c, h, w) float32 in 0 .. 255, channels last in memory."""
    return pixels.permute(0, 3, 1, 2).float()


def shift_pixels(recipe: AugmentSection, height: int, width: int) -> int:
    """Return the largest shift in whole pixels, for images of this size."""
    return round(recipe.shift * min(height, width))


def is_identity(recipe: AugmentSection, height: int, width: int) -> bool:
    """Return whether the augmentation leaves images of this size unchanged."""
    others = recipe.model_dump(exclude={"shift"} | OF_BATCHES).values()
    return not (shift_pixels(recipe, height, width) or any(others))


def _draw(
    recipe: AugmentSection, shape: tuple[int, ...], seed: int, stream: tuple[str, *tuple[int, ...]]
) -> AugmentationDraws:
    n, height, width = shape[:3]
    max_shift = shift_pixels(recipe, height, width)
    name, *place = stream

    def generator(name: str) -> np.random.Generator:
        key = (*name.encode(), *place)
        return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))

    down, right, flip, angle, brightness, contrast, erase, *box = (
        generator(name).random((11, n)).astype(np.float32)
    )
    return AugmentationDraws(
        shift=np.stack([_uniform_integers(row, max_shift) for row in (down, right)], axis=1),
        flip=flip < recipe.flip,
        angle=_around(0, angle, np.deg2rad(recipe.rotation)),
        brightness=_around(1, brightness, recipe.brightness),
        contrast=_around(1, contrast, recipe.contrast),
        erased=_rectangles(np.stack(box), erase < recipe.erase),
        uniforms={
            part: generator(f"{name}.{part}").random((n, n_uniforms), dtype=np.float32)
            for part, n_uniforms in OWN_STREAM.items()
            if getattr(recipe, part)
        },
    )


def _uniform_integers(uniform: Array, limit: int) -> NDArray[np.int64]:
    """Return integers from -limit to limit."""
    numbers = np.floor(uniform * (2 * limit + 1)).astype(np.int64) - limit
    return np.minimum(numbers, limit)  # a float32 just below 1 can round up to limit + 1


def _around(centre: float, uniform: Array, width: float) -> Array:
    return (centre + (2 * uniform - 1) * width).astype(np.float32)


def _rectangles(box: Array, is_erased: NDArray[np.bool_]) -> Array:
    """Return top, left, height and width of rectangles inside the image, (n, 4)."""
    area = ERASED_AREA[0] + box[0] * (ERASED_AREA[1] - ERASED_AREA[0])
    aspect = np.exp((2 * box[1] - 1) * -np.log(ASPECT))
    height = np.minimum(np.sqrt(area * aspect), 1) * is_erased
    width = np.minimum(np.sqrt(area / aspect), 1) * is_erased
    top, left = box[2] * (1 - height), box[3] * (1 - width)
    return np.stack([top, left, height, width], axis=1).astype(np.float32)


def _shift_and_flip(pixels: Tensor, shift: Tensor, flip: Tensor) -> Tensor:
    """Flip, then shift, by gathering each pixel from its source."""
    n, height, width, _ = pixels.shape
    rows = _source_positions(height, shift[:, 0], pixels.device)
    columns = _source_positions(width, shift[:, 1], pixels.device)
    columns = torch.where(flip[:, None], width - 1 - columns, columns)
    batch = torch.arange(n, device=pixels.device)[:, None, None]
    return pixels[batch, rows[:, :, None], columns[:, None, :]]  # (b, h, w, c)


def _source_positions(side: int, shift: Tensor, device: torch.device) -> Tensor:
    """Return the source of each row or column, (b, side); the edge is repeated."""
    return (torch.arange(side, device=device) - shift[:, None]).clamp(0, side - 1)


def _rotate(images: Tensor, angle: Tensor) -> Tensor:
    """Rotate about the centre, counter-clockwise, bilinear."""
    height, width = images.shape[2:]
    cosine, sine, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    # affine_grid maps output to source in units of half a side, hence the aspect ratio.
    first = torch.stack([cosine, -sine * height / width, zero], dim=1)
    second = torch.stack([sine * width / height, cosine, zero], dim=1)
    grid = functional.affine_grid(torch.stack([first, second], dim=1), list(images.shape), False)
    rotated = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    return rotated.contiguous(memory_format=torch.channels_last)


def _scale_colours(images: Tensor, brightness: Tensor, contrast: Tensor) -> Tensor:
    """Scale by the brightness, then scale the contrast around the mean of the image."""
    bright = images * brightness[:, None, None, None]
    mean = bright.mean(dim=(1, 2, 3), keepdim=True)
    return (mean + (bright - mean) * contrast[:, None, None, None]).clamp(0, PIXEL_MAX)


def _erase(images: Tensor, erased: Tensor) -> Tensor:
    height, width = images.shape[2:]
    rows = _inside(height, erased[:, 0], erased[:, 2])
    columns = _inside(width, erased[:, 1], erased[:, 3])
    return images.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], ERASED_VALUE)


def _inside(side: int, start: Tensor, length: Tensor) -> Tensor:
    """Return which pixel centres are in start .. start + length, (b, side)."""
    centres = (torch.arange(side, device=start.device) + 0.5) / side
    return (centres >= start[:, None]) & (centres < (start + length)[:, None])
