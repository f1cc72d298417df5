"""The content of an image, in a form that does not depend on its file."""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from foldwise.data.originals import Original
from foldwise.files.dataset import RGB

OPAQUE = 255
PART_BYTES = 2**19  # fits into the cache of a core


def content_digest(content: Image.Image | NDArray[Any]) -> bytes:
    """Return the SHA-256 of the shape and the values of an image.

    Equal colour channels count as one channel, so that grey files and colour files of the same
    pixels agree.

    Args:
        content: An image in L, RGB or RGBA, or an array (h, w, c) of uint8 or uint16.
    """
    if isinstance(content, Image.Image):
        shape: tuple[int, ...] = (content.height, content.width, len(content.getbands()))
    else:
        shape = content.shape
    hashed = _start(shape)
    if shape[2] != RGB:
        for part in _parts(content, shape):
            hashed.update(part)
        return hashed.digest()
    hashed_grey, all_grey = _start((*shape[:2], 1)), True
    for part in _parts(content, shape):
        values = np.frombuffer(
            part, np.uint8 if isinstance(content, Image.Image) else content.dtype
        )
        all_grey = all_grey and is_grey(values.reshape(-1, shape[1], RGB))
        if all_grey:
            hashed_grey.update(values[::RGB].tobytes())
        hashed.update(part)
    return (hashed_grey if all_grey else hashed).digest()


def _start(shape: tuple[int, ...]) -> "hashlib._Hash":
    return hashlib.sha256(b"%d %d %d " % shape)


def _parts(content: Image.Image | NDArray[Any], shape: tuple[int, ...]) -> Iterator[bytes]:
    """Yield an image in parts of some rows, because a copy of a whole photo is slow."""
    height, width, channels = shape
    step = max(1, PART_BYTES // (width * channels))
    for top in range(0, height, step):
        if not isinstance(content, Image.Image):
            yield content[top : top + step].tobytes()
        elif step >= height:
            yield content.tobytes()
        else:
            yield content.crop((0, top, width, min(top + step, height))).tobytes()


def short_digests(digests: list[bytes]) -> NDArray[np.uint64]:
    """Return the first 8 bytes of each digest: of a million images, equal by chance to 1 : 10⁷."""
    return np.frombuffer(b"".join(digest[:8] for digest in digests), "<u8").astype(np.uint64)


def original_content(original: Original) -> Image.Image | NDArray[Any]:
    """Return all that the file holds, in a form that does not depend on its mode."""
    image = original.content
    if isinstance(image, Image.Image):
        is_plain_grey = image.mode == "L" and not image.has_transparency_data
        return image if is_plain_grey else rgb_or_rgba(image)
    is_opaque = original.has_alpha and bool(np.all(image[..., -1] == np.iinfo(image.dtype).max))
    return image[..., :-1] if is_opaque else image


def rgb_or_rgba(image: Image.Image) -> Image.Image:
    """Return an image of any mode as RGBA if a part of it is transparent, else as RGB."""
    image = image.convert("LA") if image.mode == "La" else image
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        if rgba.getchannel("A").getextrema()[0] != OPAQUE:
            return rgba
    return image if image.mode == "RGB" else image.convert("RGB")


def is_grey(pixels: NDArray[Any]) -> bool:
    """Return whether the channels of (h, w, 3) are equal, or there is only one."""
    if pixels.shape[-1] != 3:
        return bool(pixels.shape[-1] == 1)
    # The first row tells photos in colour at a fiftieth of the cost.
    parts = (pixels[:1], pixels)
    return all(np.array_equal(part[..., 0], part[..., c]) for part in parts for c in (1, 2))
