"""Decode images into the pixels that every architecture is given."""

import hashlib
import os
import warnings
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from tqdm import tqdm

from foldwise.core.errors import InputError
from foldwise.core.machine import create_npy
from foldwise.data.sources import ImageSource

GREY_MODES = ("1", "L")
MAX_PIXELS = 89_478_485  # PIL's own limit against decompression bombs: 256 MiB of RGB
BATCH = 8  # images per task; single tiny images take three times as long, for the overhead
AHEAD = 2  # waiting tasks per core: keeps all cores busy, and needs little memory for large photos


class DecodedImage(NamedTuple):
    """The pixels of one image."""

    pixels: NDArray[np.uint8]  # (h, w, 3)
    is_grey: bool  # the file has one channel, so the three are equal
    digest: bytes  # SHA-256 of the pixels


Result = DecodedImage | str  # an image, or an error message


@dataclass(frozen=True)
class DecodedImages:
    """All images of a source, in its order.

    Attributes:
        pixels: (n, h, w, 3) uint8, memory-mapped; (n, h, w, c) if the source is in memory.
        content_ids: (n,) equal ids mean equal pixels; 0, 1, ... in order of first appearance.
        is_grey: Whether every file has one channel, so that the three are equal.
    """

    pixels: NDArray[np.uint8]
    content_ids: NDArray[np.int64]
    is_grey: bool


def decode_image(image: Image.Image, side: int | None) -> DecodedImage:
    """Decode an image upright (EXIF), as 8-bit RGB, in its own size or as a square.

    Of several frames the first is used. Transparency is dropped, as torchvision's loader does.

    Args:
        image: An opened image; it may be undecoded.
        side: Pixels per side of the square, or None to keep the size.

    Raises:
        InputError: If the image is broken, has more than 8 bits per channel or is too large. The
            message lacks the name of the file, which goes before it.
    """
    if image.width * image.height > MAX_PIXELS:
        size = f"{image.width}×{image.height}"
        raise InputError(f"is {size} pixels, over {MAX_PIXELS:,}; make it smaller")
    if image.mode.startswith(("I", "F")):
        raise InputError(
            f"has over 8 bits per channel (mode {image.mode}); convert it to 8 bits per channel"
        )
    with _pil_errors():
        rgb = ImageOps.exif_transpose(image).convert("RGB")
    pixels = np.asarray(_resize_to_square(rgb, side) if side else rgb)
    digest = hashlib.sha256(pixels.tobytes()).digest()
    return DecodedImage(pixels, image.mode in GREY_MODES, digest)


def decode_images(source: ImageSource, side: int | None, path: Path) -> DecodedImages:
    """Decode all images into a file whose bytes do not depend on the number of threads.

    Args:
        source: The images.
        side: Pixels per side, or None to keep the size, which must then be equal for all.
        path: The .npy file to create.

    Raises:
        InputError: If images are unreadable, with one line for each, or differ in size.
    """
    if source.pixels is not None and side is None:
        return _without_decoding(np.ascontiguousarray(source.pixels))
    pixels: NDArray[np.uint8] = np.empty((0, 0, 0, 3), dtype=np.uint8)
    id_of_digest: dict[bytes, int] = {}
    content_ids = np.zeros(len(source.files), dtype=np.int64)
    is_grey = True
    errors: list[str] = []
    n = len(source.files)
    images = tqdm(_decode_all(source, side), "decode", n, unit=" images", disable=None)
    for index, image in enumerate(images):
        if isinstance(image, str):
            errors.append(image)
            continue
        if not id_of_digest:
            shape = (n, *image.pixels.shape)
            pixels = create_npy(path, np.uint8, shape)
            first = index
        if image.pixels.shape != pixels.shape[1:]:
            sizes = [f"{a.shape[-2]}×{a.shape[-3]}" for a in (pixels, image.pixels)]
            errors.append(
                f"{source.root}/{source.files[first]} is {sizes[0]} and {source.files[index]} "
                f"{sizes[1]} pixels; set prepare.image_size to a number of pixels"
            )
            break
        pixels[index] = image.pixels
        content_ids[index] = id_of_digest.setdefault(image.digest, len(id_of_digest))
        is_grey &= image.is_grey
    if errors:
        raise InputError("\n".join(errors))
    return DecodedImages(pixels, content_ids, is_grey)


def _without_decoding(pixels: NDArray[np.uint8]) -> DecodedImages:
    numbers: dict[bytes, int] = {}
    digests = (hashlib.sha256(image).digest() for image in pixels)
    ids = [numbers.setdefault(digest, len(numbers)) for digest in digests]
    return DecodedImages(pixels, np.array(ids, dtype=np.int64), pixels.shape[3] == 1)


def _resize_to_square(image: Image.Image, side: int) -> Image.Image:
    """Return the central square, resized.

    Cropping before resizing gives the same as resizing the shorter side and then cropping, without
    the huge intermediate image of a long strip. Bilinear, because published recipes were trained
    with it; PIL widens the filter when it shrinks an image, so that nothing aliases.
    """
    short = min(image.size)
    left, top = (image.width - short) / 2, (image.height - short) / 2
    box = (left, top, left + short, top + short)
    return image.resize((side, side), Image.Resampling.BILINEAR, box=box)


def _decode_all(source: ImageSource, side: int | None) -> Iterator[Result]:
    """Yield each image or an error message, in order.

    Threads decode a few batches ahead; Executor.map would keep every result in memory.
    """
    n, n_threads = len(source.files), os.cpu_count() or 1
    waiting: deque[Future[list[Result]]] = deque()
    with warnings.catch_warnings(), ThreadPoolExecutor(n_threads) as pool:
        # PIL warns about odd metadata, and about large images, which decode_image rejects.
        warnings.simplefilter("ignore")
        for start in range(0, n, BATCH):
            batch = range(start, min(start + BATCH, n))
            waiting.append(pool.submit(_decode_batch, source, side, batch))
            if len(waiting) > AHEAD * n_threads:
                yield from waiting.popleft().result()
        for future in waiting:
            yield from future.result()


def _decode_batch(source: ImageSource, side: int | None, batch: range) -> list[Result]:
    return [_decode_file(source, side, index) for index in batch]


def _decode_file(source: ImageSource, side: int | None, index: int) -> Result:
    try:
        with _pil_errors():
            image = source.load(index)
        with image:
            return decode_image(image, side)
    except InputError as error:
        return f"{source.root}/{source.files[index]} {error}"


@contextmanager
def _pil_errors() -> Iterator[None]:
    """Raise any exception of PIL as an InputError."""
    try:
        yield
    except UnidentifiedImageError:
        reason = "is empty or not an image of a known format"
        raise InputError(f"{reason}; replace or remove it") from None
    except Exception as error:  # noqa: BLE001  # PIL's decoders raise anything on broken files
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"cannot be decoded ({reason}); replace or remove it") from None
