"""What is drawn for every image in one epoch of one fold, and nothing else is random."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.contracts.recipe import Recipe

ERASED = (0.02, 0.33)  # share of the area; Zhong et al., "Random erasing", AAAI 2020, table 4
ASPECT = 0.3  # of the rectangle: 0.3 .. 1 / 0.3; the same table

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Draws:
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

    def take(self, index: NDArray[np.int64]) -> "Draws":
        """Return the rows of some images, in their order."""
        return Draws(
            self.shift[index],
            self.flip[index],
            self.angle[index],
            self.brightness[index],
            self.contrast[index],
            self.erased[index],
        )


def draw(recipe: Recipe, n: int, seed: int, place: tuple[int, int, int]) -> Draws:
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


def draw_view(recipe: Recipe, n: int, seed: int, number: int) -> Draws:
    """Draw one augmented view of every image, the same for all repeats, folds and epochs.

    For networks with a part that never trains: it sees each view once.

    Args:
        recipe: What may be drawn.
        n: Images in the data set.
        seed: Of the data set.
        number: Of the view, from 0.
    """
    return _draw(recipe, n, np.random.SeedSequence(seed, spawn_key=(*b"view", number)))


def _draw(recipe: Recipe, n: int, sequence: np.random.SeedSequence) -> Draws:
    down, right, flip, angle, brightness, contrast, erase, *box = (
        np.random.default_rng(sequence).random((11, n)).astype(np.float32)
    )
    return Draws(
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
