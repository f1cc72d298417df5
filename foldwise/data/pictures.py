"""Strips of misclassified images as PNG files."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from foldwise.core.errors import InputError
from foldwise.files.comparison import Confused
from foldwise.files.dataset import Dataset

MAX_EXAMPLES = 8  # of a pair of classes: a strip of 96-pixel images is 796 pixels wide
TILE_SIDE = 96  # pixels of the longer side of an image in a strip, at most
STRIP_GAP = 4  # pixels between two images; transparent, to show the background of the page


def to_rgb(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images as red, green and blue: the first three channels, or the first one as grey.

    Args:
        images: (..., c) of one channel or more.

    Returns:
        (..., 3).
    """
    if images.shape[-1] >= 3:
        return images[..., :3]
    return np.repeat(images[..., :1], 3, axis=-1)


def mistake_images(confused: Confused, dataset: Dataset, path: str) -> list[list[int]]:
    """Return the positions of the images of each confused pair, most confident mistake first.

    Args:
        confused: The pairs of classes.
        dataset: The data set of the images.
        path: The file of the pairs, for messages.

    Raises:
        InputError: If an image is not a training image, or has another class in the data set.
    """
    info, remedy = dataset.info, "run 'dvc repro' to make both from the same data"
    for pair in confused.pairs:
        for image in pair.examples:
            if image >= info.n_train:
                expected = f"expected less than {info.n_train}"
                raise InputError(f"{path}: image is {image}; {expected}; {remedy}")
            actual = info.classes[dataset.labels[image]]
            if actual != pair.true:
                raise InputError(
                    f"{path}: image {image} has the class {actual!r}; expected {pair.true!r}; "
                    f"{remedy}"
                )
    return [pair.examples[:MAX_EXAMPLES] for pair in confused.pairs]


def image_strip(images: NDArray[np.uint8]) -> Image.Image:
    """Return a row of images of equal size; without images, an empty picture.

    Small images are enlarged by a whole factor, so that each pixel becomes a square. Large images
    are reduced by a whole factor, so that each pixel is the mean of a square. The longer side of
    an image becomes 49 .. 96 pixels.

    Args:
        images: (n, h, w, c).
    """
    tiles = [_scale(Image.fromarray(to_rgb(image))) for image in images]
    width, height = tiles[0].size if tiles else (TILE_SIDE, TILE_SIDE)
    step = width + STRIP_GAP
    picture = Image.new("RGBA", (max(len(tiles), 1) * step - STRIP_GAP, height))
    for column, tile in enumerate(tiles):
        picture.paste(tile, (column * step, 0))
    return picture


def _scale(image: Image.Image) -> Image.Image:
    longer = max(image.size)
    if longer > TILE_SIDE:
        return image.reduce(-(-longer // TILE_SIDE))
    factor = TILE_SIDE // longer
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
