"""Decode all images of a source into one array."""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median_low
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from foldwise.core.errors import InputError
from foldwise.core.machine import create_npy
from foldwise.data.content import content_digest, is_grey, short_digests
from foldwise.data.pixels import DecodedImage, PixelSettings, decode_image, value_range
from foldwise.data.same_pixels import tell_apart
from foldwise.data.sources import ImageSource
from foldwise.data.threads import map_all
from foldwise.data.unreadable import check_unreadable, list_unreadable
from foldwise.files.dataset import DecodingFacts


@dataclass(frozen=True)
class DecodedImages:
    """All images of a source that can be decoded, in its order.

    Attributes:
        pixels: (n, h, w, c) uint8, memory-mapped; c is 3 for grey, too, unless the source is in
            memory.
        content_ids: (n,) equal ids mean equal images in the files: all bits, bands and pixels,
            upright; 0, 1, ... in order of first appearance.
        pixel_ids: (n,) equal ids mean equal `pixels`, likewise.
        is_grey: Whether red, green and blue are equal in every pixel of every image.
        digests: (n,) digest of the content of each file; another size or format changes none.
        kept: (n,) position of each image in the source.
        unreadable: Each file that was skipped, and why.
        facts: What dataset.json says about decoding.
    """

    pixels: NDArray[np.uint8]
    content_ids: NDArray[np.int64]
    pixel_ids: NDArray[np.int64]
    is_grey: bool
    digests: NDArray[np.uint64]
    kept: NDArray[np.intp]
    unreadable: dict[str, str] = field(default_factory=dict)
    facts: DecodingFacts = field(default_factory=DecodingFacts)


def decode_images(
    source: ImageSource, settings: PixelSettings, path: Path, *, skip: bool = False
) -> DecodedImages:
    """Decode all images into a file whose bytes do not depend on the number of threads.

    Args:
        source: The images.
        settings: How to make the pixels. Without a size, all images must have the same.
        path: The .npy file to create.
        skip: Leave unreadable images out instead of raising an error.

    Raises:
        InputError: If images are unreadable, with one line for each or for each reason, if images
            differ in size, bands or depth, or if a class has no image left.
    """
    if source.pixels is not None and settings.size is None:
        return _without_decoding(np.ascontiguousarray(source.pixels))
    if settings.scale == "data":
        settings = replace(settings, scale=_common_range(source))
    images = _Collector(source, path)
    decode = partial(decode_image, settings=settings)
    for position, image in map_all(source, decode, "decode"):
        images.add(position, image)
    check_unreadable(source, images.unreadable, skip=skip)
    return images.collected(settings)


class _Collector:
    """Writes decoded images to the array, and counts."""

    def __init__(self, source: ImageSource, path: Path) -> None:
        self._source, self._path = source, path
        self._pixels: NDArray[np.uint8] = np.empty((0, 0, 0, 3), dtype=np.uint8)
        self._first: DecodedImage | None = None
        self._id_of_digest: dict[bytes, int] = {}
        self._pixel_ids: list[int] = []
        self._kept: list[int] = []
        self._originals: list[bytes] = []  # digests
        self._changed: set[int] = set()  # ids of pixels that are not those of the file
        self._is_grey = True
        self._cropped = 0.0
        self._sizes: list[tuple[int, int]] = []  # of the files
        self._n_more = 0  # images with further pages
        self.unreadable: dict[int, InputError] = {}  # by position

    def add(self, position: int, image: DecodedImage | InputError) -> None:
        if isinstance(image, InputError):
            self.unreadable[position] = image
            return
        if self._first is None:
            shape = (len(self._source.files), *image.pixels.shape)
            self._first = image
            self._pixels = np.asarray(create_npy(self._path, np.uint8, shape))  # faster to index
        if _layout(image) != _layout(self._first):
            self._raise_unlike(self._first, position, image)
        self._pixels[len(self._kept)] = image.pixels
        number = self._id_of_digest.setdefault(image.digest, len(self._id_of_digest))
        self._pixel_ids.append(number)
        self._kept.append(position)
        self._originals.append(image.original_digest)
        if not image.is_original:
            self._changed.add(number)
        self._is_grey &= image.is_grey
        self._cropped += image.cropped_share
        self._sizes.append(image.file_size)
        self._n_more += image.n_more > 0

    def _raise_unlike(self, first: DecodedImage, position: int, image: DecodedImage) -> NoReturn:
        files = self._source.files[self._kept[0]], self._source.files[position]
        if image.pixels.shape[:2] != first.pixels.shape[:2]:
            sizes = [f"{i.pixels.shape[1]}×{i.pixels.shape[0]}" for i in (first, image)]
            error = f"{files[0]} is {sizes[0]} and {files[1]} {sizes[1]} pixels"
            remedy = "set prepare.image_size to a number of pixels"
        else:
            error = f"{files[0]} has {_describe(first)} and {files[1]} has {_describe(image)}"
            remedy = "convert all images alike"
        others = list_unreadable(self._source, self.unreadable)
        raise InputError(f"{others}\n{self._source.root}/{error}; {remedy}".strip())

    def collected(self, settings: PixelSettings) -> DecodedImages:
        kept, pixel_ids = np.array(self._kept, dtype=np.intp), np.array(self._pixel_ids)
        content_ids = pixel_ids
        same_pixels: dict[str, int] = {}
        if self._changed and not self._source.is_published:
            content_ids, same_pixels = tell_apart(
                self._source.take(kept), settings, pixel_ids, self._changed
            )
        is_deep = self._first is not None and self._first.bits > 8
        facts = DecodingFacts(
            scale=list(settings.scale) if is_deep and isinstance(settings.scale, tuple) else None,
            n_unreadable=len(self.unreadable),
            n_multipage=self._n_more,
            file_size=[median_low(sides) for sides in zip(*self._sizes, strict=True)],
            cropped_share=round(self._cropped / len(kept), 4),
            same_pixels=same_pixels,
        )
        return DecodedImages(
            pixels=self._pixels[: len(kept)],
            content_ids=content_ids,
            pixel_ids=pixel_ids,
            is_grey=self._is_grey,
            digests=short_digests(self._originals),
            kept=kept,
            unreadable={self._source.files[p]: str(e) for p, e in self.unreadable.items()},
            facts=facts,
        )


def _layout(image: DecodedImage) -> tuple[tuple[int, ...], bool]:
    return image.pixels.shape, image.bits > 8


def _describe(image: DecodedImage) -> str:
    return f"{image.bands} of {'over ' if image.bits > 8 else ''}8 bits"


def _common_range(source: ImageSource) -> tuple[int, int] | None:
    """Return the lowest and highest value of all images of more than 8 bits."""
    results = map_all(source, value_range, "range")
    ranges = [values for _, values in results if isinstance(values, tuple)]
    if not ranges:
        return None
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    if low == high:
        raise InputError(f"prepare.scale is data, but all values of all images are {low}")
    return low, high


def _without_decoding(pixels: NDArray[np.uint8]) -> DecodedImages:
    numbers: dict[bytes, int] = {}
    digests = [content_digest(image) for image in pixels]
    ids = np.array([numbers.setdefault(digest, len(numbers)) for digest in digests], dtype=np.int64)
    all_grey = all(map(is_grey, pixels))
    kept = np.arange(len(pixels))
    return DecodedImages(pixels, ids, ids, all_grey, short_digests(digests), kept)
