"""Tell apart different images whose pixels are equal only as they were prepared."""

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from foldwise.core.errors import InputError
from foldwise.data.content import content_digest, original_content
from foldwise.data.originals import decoder_errors, read_original
from foldwise.data.pixels import PixelSettings, crop_box, flatten, scaled
from foldwise.data.sources import ImageSource
from foldwise.data.threads import map_images

STEPS = ("scale", "transparency", "crop")  # that can make images equal, in their order
REMEDIES = {
    "scale": "set prepare.scale to other limits",
    "transparency": "set prepare.background to another colour, or remove the empty images",
    "crop": "set prepare.resize to pad",
    "size": "set prepare.image_size to more pixels",
}


def tell_apart(
    source: ImageSource, settings: PixelSettings, pixel_ids: NDArray[np.int64], changed: set[int]
) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Number the contents of the files, and count the images that only their pixels make equal.

    Only images with the same pixels can have the same content, so only those are decoded again.

    Returns:
        (n,) number of the content, and for each step the images that it makes equal to an earlier
        image of other content.

    Raises:
        InputError: If all images of a class became equal, so that nothing can be held out.
    """
    counts = np.bincount(pixel_ids)
    is_unclear = (counts[pixel_ids] > 1) & np.isin(pixel_ids, list(changed))
    numbers: dict[object, int] = {}
    content_ids = np.zeros_like(pixel_ids)
    same_pixels: dict[str, int] = {}
    traces: dict[int, dict[bytes, dict[str, bytes]]] = {}
    positions = np.flatnonzero(is_unclear)
    unclear = iter(map_images(source, positions, partial(trace_image, settings=settings)))
    for position, number in enumerate(pixel_ids.tolist()):
        key: object = number
        if is_unclear[position]:
            _, trace = next(unclear)
            if isinstance(trace, InputError):  # it changed since it was decoded
                raise InputError(f"{source.root}/{source.files[position]} {trace}")
            earlier = traces.setdefault(number, {})
            key = trace["original"]
            if earlier and key not in earlier:
                step = _first_equal(next(iter(earlier.values())), trace)
                same_pixels[step] = same_pixels.get(step, 0) + 1
            earlier.setdefault(trace["original"], trace)
        content_ids[position] = numbers.setdefault(key, len(numbers))
    for label in np.unique(source.labels[is_unclear]):
        members = (source.labels == label) & ~source.is_test
        n_different = len(np.unique(content_ids[members]))
        if n_different > 1 and len(np.unique(pixel_ids[members])) == 1:
            step = max(same_pixels, key=lambda step: same_pixels[step])
            raise InputError(
                f"all {n_different:,} different images of class '{source.classes[label]}' have the "
                f"same pixels after preparation ({step}); {REMEDIES[step]}"
            )
    return content_ids, same_pixels


def _first_equal(a: dict[str, bytes], b: dict[str, bytes]) -> str:
    """Return the first step after which two images are equal."""
    return next((step for step in STEPS if step in a and a[step] == b.get(step)), "size")


def trace_image(file: Image.Image | Path, settings: PixelSettings) -> dict[str, bytes]:
    """Return digests of an image as it is in the file, and after each step that can lose content.

    Two images with the same pixels first agree after the step that made them equal.
    """
    original = read_original(file)
    with decoder_errors():
        planes = flatten(original, settings).planes
        planes = [planes[0].convert("RGB")] if len(planes) == 1 else planes
        height, width = planes[0].height, planes[0].width
        left, top, right, bottom = crop_box((height, width), settings)
        box = (int(left), int(top), int(np.ceil(right)), int(np.ceil(bottom)))
        digests = {"original": content_digest(original_content(original))}
        if original.bits > 8:
            digests["scale"] = _digest(scaled(original, settings))
        digests["transparency"] = _digest(*planes)
        digests["crop"] = _digest(*(plane.crop(box) for plane in planes))
    return digests


def _digest(*parts: Image.Image | NDArray[Any]) -> bytes:
    hashed = hashlib.sha256()
    for part in parts:
        array = np.ascontiguousarray(part)
        hashed.update(str(array.shape).encode())
        hashed.update(array.data)
    return hashed.digest()
