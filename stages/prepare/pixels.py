"""From an opened image to the pixels that every architecture sees."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from stages.contracts.command import InputError

GREY = ("1", "L")
LARGEST = 89_478_485  # pixels; PIL's own guard against decompression bombs: 256 MiB of RGB


class Picture(NamedTuple):
    """A decoded image."""

    pixels: NDArray[np.uint8]  # (h, w, 3)
    is_grey: bool  # the file held one channel: the three are equal


def to_picture(image: Image.Image, side: int | None) -> Picture:
    """Decode an image upright (EXIF), in 8-bit RGB, at its own size or as a square.

    Of several frames the first counts. Transparency is dropped, as torchvision's loader does.

    Args:
        image: An opened image; it may be undecoded.
        side: Pixels a side of the square; None keeps the size.

    Raises:
        InputError: If it has more than 8 bits a channel or is too large; the end of a sentence
            that begins with the file.
    """
    if image.width * image.height > LARGEST:
        raise InputError(f"is {size_of(image.size)} pixels, over {LARGEST:,}; make it smaller")
    if image.mode.startswith(("I", "F")):
        raise InputError(f"has over 8 bits a channel (mode {image.mode}); convert it to 8 bit")
    upright = ImageOps.exif_transpose(image)
    colour = upright.convert("RGB")
    return Picture(np.asarray(_square(colour, side) if side else colour), image.mode in GREY)


def size_of(shape: tuple[int, int]) -> str:
    """Return width×height as text."""
    return f"{shape[0]}×{shape[1]}"


def _square(image: Image.Image, side: int) -> Image.Image:
    """Return the central square, resized.

    Cropping before resizing gives what resizing the shorter side and cropping then gives,
    without the huge image in between that a long strip would make. Bilinear: PIL widens the
    filter as it shrinks, so that nothing aliases, and published recipes were trained with it.
    """
    short = min(image.size)
    left, top = (image.width - short) / 2, (image.height - short) / 2
    box = (left, top, left + short, top + short)
    return image.resize((side, side), Image.Resampling.BILINEAR, box=box)
