"""From an opened image to the pixels that every architecture sees."""

import hashlib
import os
import struct
import warnings
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from tqdm import tqdm

from foldwise.core.errors import InputError
from foldwise.data.source import ImageSource

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


BATCH = 8  # images a task; one by one, tiny images take thrice the time for handing over
AHEAD = 2  # tasks per core in memory: keeps every core busy, and memory small with large photos
# PIL names no base class for them: on broken files its decoders raise nearly anything.
UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    AssertionError,
    EOFError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Decoded:
    """All images, in the order of their source.

    Attributes:
        pixels: (n, h, w, 3) uint8, memory-mapped.
        content: (n,) equal numbers are equal pixels; 0, 1, ... in order of first appearance.
        is_grey: Whether every image has one channel, so that the three are equal.
    """

    pixels: NDArray[np.uint8]
    content: NDArray[np.int64]
    is_grey: bool


class _Hashed(NamedTuple):
    picture: Picture
    digest: bytes


def decode(source: ImageSource, side: int | None, path: Path) -> Decoded:
    """Decode every image into a file; the order, and so the bytes, do not depend on threads.

    Args:
        source: Where the images are.
        side: Pixels a side; None keeps the size, which must then be the same for all.
        path: The .npy file to make.

    Raises:
        InputError: If images cannot be read, a line for each of them, or differ in size.
    """
    pixels: NDArray[np.uint8] = np.empty((0, 0, 0, 3), dtype=np.uint8)
    contents: dict[bytes, int] = {}
    content = np.zeros(len(source.files), dtype=np.int64)
    is_grey = True
    problems: list[str] = []
    for index, result in enumerate(_decode_all(source, side)):
        if isinstance(result, str):
            problems.append(result)
            continue
        picture, digest = result
        if not contents:
            shape = (len(source.files), *picture.pixels.shape)
            pixels = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
            first = index
        if picture.pixels.shape != pixels.shape[1:]:
            problems.append(_sizes_differ(source, first, pixels[first], index, picture.pixels))
            break
        pixels[index] = picture.pixels
        content[index] = contents.setdefault(digest, len(contents))
        is_grey &= picture.is_grey
    if problems:
        raise InputError("\n".join(problems))
    return Decoded(pixels, content, is_grey)


def _sizes_differ(
    source: ImageSource, a: int, first: NDArray[np.uint8], b: int, other: NDArray[np.uint8]
) -> str:
    sizes = [size_of((image.shape[1], image.shape[0])) for image in (first, other)]
    return (
        f"{source.root}/{source.files[a]} is {sizes[0]} and {source.files[b]} {sizes[1]} pixels; "
        "set prepare.image_size to a number of pixels"
    )


def _decode_all(source: ImageSource, side: int | None) -> Iterator[_Hashed | str]:
    """Yield each image, or what is wrong with it, in order."""
    n, n_threads = len(source.files), os.cpu_count() or 1
    batches = [range(start, min(start + BATCH, n)) for start in range(0, n, BATCH)]
    with warnings.catch_warnings(), ThreadPoolExecutor(n_threads) as pool:
        # PIL warns of odd metadata, and of large images, which to_picture refuses.
        warnings.simplefilter("ignore")
        results = _in_order(pool, partial(_decode_batch, source, side), batches, n_threads)
        yield from tqdm(results, "decode", n, unit=" images", disable=None)


def _in_order(
    pool: ThreadPoolExecutor,
    function: Callable[[range], list[T]],
    batches: list[range],
    n_threads: int,
) -> Iterator[T]:
    """Yield the results of all batches, working no more than a few ahead.

    Executor.map would run to the end and keep every result.
    """
    waiting: deque[Future[list[T]]] = deque()
    for batch in batches:
        waiting.append(pool.submit(function, batch))
        if len(waiting) > AHEAD * n_threads:
            yield from waiting.popleft().result()
    for future in waiting:
        yield from future.result()


def _decode_batch(source: ImageSource, side: int | None, batch: range) -> list[_Hashed | str]:
    return [_decode(source, side, index) for index in batch]


def _decode(source: ImageSource, side: int | None, index: int) -> _Hashed | str:
    place = f"{source.root}/{source.files[index]}"
    try:
        with source.load(index) as image:
            picture = to_picture(image, side)
    except InputError as error:
        return f"{place} {error}"
    except UnidentifiedImageError:
        return f"{place} is empty or no image of a known format; replace or remove it"
    except UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        return f"{place} cannot be decoded ({reason}); replace or remove it"
    return _Hashed(picture, hashlib.sha256(picture.pixels.tobytes()).digest())
