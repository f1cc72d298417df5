"""Images of a data set as pictures for people."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from foldwise.core.errors import InputError
from foldwise.files.comparison import Confused
from foldwise.files.dataset import Dataset


def displayable(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return red, green and blue, (..., 3): the first three channels, or the first one as grey.

    Args:
        images: (..., c) of one channel or more.
    """
    if images.shape[-1] >= 3:
        return images[..., :3]
    return np.repeat(images[..., :1], 3, axis=-1)


EXAMPLES = 8  # of a pair: a strip of 96-pixel images is 796 pixels wide


def choose(confused: Confused, dataset: Dataset, place: str) -> list[list[int]]:
    """Return the positions of the images of each pair, the surest mistakes first.

    Args:
        confused: The pairs.
        dataset: Where the images are.
        place: The file of the pairs.

    Raises:
        InputError: If an image is not of the data set's training part, or of another class.
    """
    for pair in confused.pairs:
        for example in pair.examples:
            _require(example.image, pair.true, dataset, place)
    return [[one.image for one in pair.examples[:EXAMPLES]] for pair in confused.pairs]


def _require(image: int, true: str, dataset: Dataset, place: str) -> None:
    n, remedy = dataset.info.n_train, "run 'dvc repro', so that both are of the same data"
    if image >= n:
        raise InputError(f"{place}: image is {image}; expected less than {n}; {remedy}")
    found = dataset.info.classes[dataset.labels[image]]
    if found != true:
        raise InputError(
            f"{place}: image {image} is of class {found!r}; expected {true!r}; {remedy}"
        )


SIDE = 96  # pixels of the longer side of an image in the strip, at most
STRIP_GAP = 4  # pixels between two; transparent, so that the page shows through


def strip(images: NDArray[np.uint8]) -> Image.Image:
    """Return the images in a row, each as large as all others; without images an empty picture.

    Small images are enlarged by a whole factor, each pixel a square, and large ones reduced by
    one, each pixel the mean of a square: nothing is blurred, and the longer side is 49 .. 96
    pixels.

    Args:
        images: (n, h, w, c).
    """
    tiles = [_sized(Image.fromarray(displayable(image))) for image in images]
    width, height = tiles[0].size if tiles else (SIDE, SIDE)
    step = width + STRIP_GAP
    picture = Image.new("RGBA", (max(len(tiles), 1) * step - STRIP_GAP, height))
    for place, tile in enumerate(tiles):
        picture.paste(tile, (place * step, 0))
    return picture


def as_png(picture: Image.Image) -> bytes:
    """Return a small PNG file, the same bytes for the same picture."""
    data = io.BytesIO()
    picture.save(data, format="png", optimize=True)
    return data.getvalue()


def _sized(image: Image.Image) -> Image.Image:
    longer = max(image.size)
    if longer > SIDE:
        return image.reduce(-(-longer // SIDE))
    factor = SIDE // longer
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
