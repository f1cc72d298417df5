"""Images side by side in one picture."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stages.augment.visible import visible

SIDE = 96  # pixels of the longer side of an image in the strip, at most
GAP = 4  # pixels between two; transparent, so that the page shows through


def strip(images: NDArray[np.uint8]) -> Image.Image:
    """Return the images in a row, each as large as all others; without images an empty picture.

    Small images are enlarged by a whole factor, each pixel a square, and large ones reduced by
    one, each pixel the mean of a square: nothing is blurred, and the longer side is 49 .. 96
    pixels.

    Args:
        images: (n, h, w, c).
    """
    tiles = [_sized(Image.fromarray(visible(image))) for image in images]
    width, height = tiles[0].size if tiles else (SIDE, SIDE)
    step = width + GAP
    picture = Image.new("RGBA", (max(len(tiles), 1) * step - GAP, height))
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
