"""Make the pixels of one image: scale, lay on a background, crop or pad, resize."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from foldwise.data.content import OPAQUE, content_digest, is_grey, original_content, rgb_or_rgba
from foldwise.data.originals import Original, decoder_errors, read_original
from foldwise.data.unreadable import MissingSettingError
from foldwise.files.preparation import PrepareSection

COLOURS = {"white": (255, 255, 255), "black": (0, 0, 0), "grey": (128, 128, 128)}
FULL = 65_535  # the largest value of 16 bits


@dataclass(frozen=True)
class PixelSettings:
    """How images become pixels.

    Attributes:
        size: Height and width, or None to keep them.
        resize: What to do about images of another shape.
        background: Behind transparent parts and padded images, RGB.
        scale: The values that become 0 and 255 in images of more than 8 bits; "data" for the
            lowest and highest of all images; None to refuse such images.
    """

    size: tuple[int, int] | None = None
    resize: Literal["crop", "pad", "stretch"] = "crop"
    background: tuple[int, int, int] = COLOURS["white"]
    scale: tuple[int, int] | Literal["data"] | None = None

    @classmethod
    def of(cls, section: PrepareSection) -> "PixelSettings":
        """Return the settings of params.yaml."""
        colour = section.background
        r, g, b = COLOURS[colour] if isinstance(colour, str) else colour
        scale = section.scale
        limits = (scale[0], scale[1]) if isinstance(scale, list) else scale
        return cls(section.size, section.resize, (r, g, b), limits)


class DecodedImage(NamedTuple):
    """The pixels of one image."""

    pixels: NDArray[np.uint8]  # (h, w, c), c = 3 for grey, too
    is_grey: bool  # the three channels are equal
    digest: bytes  # SHA-256 of the pixels
    original_digest: bytes  # of the content of the file
    bits: int  # per channel, of the file
    file_size: tuple[int, int]  # height and width before resizing, upright
    is_original: bool  # nothing was resized, scaled, or laid on the background
    cropped_share: float  # of the area
    n_more: int  # further pages or frames of the file

    @property
    def bands(self) -> str:
        """The bands in words."""
        n_bands = self.pixels.shape[2]
        return "colours or grey" if n_bands == 3 else f"{n_bands} bands"


class _Flat(NamedTuple):
    """An image without transparency, of 8 bits, in its original size."""

    planes: list[Image.Image]  # one of RGB or grey, or one of each band
    was_transparent: bool


def decode_image(file: Image.Image | Path, settings: PixelSettings) -> DecodedImage:
    """Decode an image upright (EXIF) as 8-bit RGB, or as its 2 or 4 to 8 bands.

    Images of more than 8 bits are scaled first, and rounded to the nearest integer. Transparent
    parts are then laid on the background. Resizing comes last.

    Args:
        file: A path, or an image, which may be undecoded.
        settings: How to make the pixels.

    Raises:
        InputError: If the image is broken, has more than 8 bits per channel without a scale, or is
            too large. The message lacks the name of the file, which goes before it.
    """
    original = read_original(file)
    with decoder_errors():
        flat = flatten(original, settings)
        planes = [_resize(plane, settings) for plane in flat.planes]
        original_digest = content_digest(original_content(original))
    pixels, has_equal_channels = _to_array(planes)
    width, height = flat.planes[0].size
    is_resized = pixels.shape[:2] != (height, width)
    return DecodedImage(
        pixels=pixels,
        is_grey=has_equal_channels,
        digest=hashlib.sha256(pixels.data).digest(),
        original_digest=original_digest,
        bits=original.bits,
        file_size=(height, width),
        is_original=not (is_resized or flat.was_transparent or original.bits > 8),
        cropped_share=_cropped_share((height, width), settings),
        n_more=original.n_more,
    )


def _to_array(planes: list[Image.Image]) -> tuple[NDArray[np.uint8], bool]:
    """Return (h, w, c), and whether the colours are equal."""
    if len(planes) > 1:
        return np.stack([np.asarray(plane) for plane in planes], axis=-1), False
    if planes[0].mode == "L":
        return np.asarray(planes[0].convert("RGB")), True
    pixels = np.asarray(planes[0])
    return pixels, is_grey(pixels)


def value_range(file: Image.Image | Path) -> tuple[int, int] | None:
    """Return the lowest and highest value of an image of more than 8 bits; None for others.

    Transparency does not count.
    """
    original = read_original(file)
    if original.bits <= 8 or isinstance(original.content, Image.Image):
        return None
    colours = _colours(original.content, original)
    return int(colours.min()), int(colours.max())


def crop_box(size: tuple[int, int], settings: PixelSettings) -> tuple[float, float, float, float]:
    """Return the part (left, top, right, bottom) that is kept of an image of (h, w) pixels."""
    height, width = size
    if settings.size is None or settings.resize != "crop":
        return 0, 0, width, height
    target_height, target_width = settings.size
    kept_width = min(width, height * target_width / target_height)
    kept_height = min(height, width * target_height / target_width)
    left, top = (width - kept_width) / 2, (height - kept_height) / 2
    return left, top, left + kept_width, top + kept_height


def _cropped_share(size: tuple[int, int], settings: PixelSettings) -> float:
    left, top, right, bottom = crop_box(size, settings)
    return 1 - (right - left) * (bottom - top) / (size[0] * size[1])


def _resize(image: Image.Image, settings: PixelSettings) -> Image.Image:
    """Return the image in the size of the settings.

    Cropping before resizing gives the same as resizing the shorter side and then cropping, without
    the huge intermediate image of a long strip. Bilinear, because published recipes were trained
    with it; PIL widens the filter when it shrinks an image, so that nothing aliases.
    """
    if settings.size is None:
        return image
    (height, width), bilinear = settings.size, Image.Resampling.BILINEAR
    if settings.resize != "pad":
        box = crop_box((image.height, image.width), settings)
        return image.resize((width, height), bilinear, box=box)
    factor = min(width / image.width, height / image.height)
    inner = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    padded = Image.new(image.mode, (width, height), _colour(image.mode, settings))
    place = (width - inner[0]) // 2, (height - inner[1]) // 2
    padded.paste(image.resize(inner, bilinear), place)
    return padded


def _colour(mode: str, settings: PixelSettings) -> int | tuple[int, int, int]:
    if mode == "RGB":
        return settings.background
    r, g, b = settings.background
    return round(0.299 * r + 0.587 * g + 0.114 * b)  # ITU-R BT.601


def flatten(original: Original, settings: PixelSettings) -> _Flat:
    """Scale an image to 8 bits per channel, and lay transparent parts on the background."""
    image = original.content
    if not isinstance(image, Image.Image):
        array = scaled(original, settings)
        n_bands = array.shape[2]
        if n_bands not in (1, 3) and not original.has_alpha:
            bands = np.moveaxis(array, -1, 0)
            return _Flat([Image.fromarray(np.ascontiguousarray(band)) for band in bands], False)
        image = Image.fromarray(array[..., 0] if n_bands == 1 else array)
    if image.mode == "L" and settings.resize != "pad" and not image.has_transparency_data:
        return _Flat([image], False)  # one channel is resized in a third of the time
    image = rgb_or_rgba(image)
    if image.mode == "RGB":
        return _Flat([image], False)
    ground = Image.new("RGBA", image.size, (*settings.background, OPAQUE))
    return _Flat([Image.alpha_composite(ground, image).convert("RGB")], True)


def _colours(array: NDArray[np.uint16], original: Original) -> NDArray[np.uint16]:
    return array[..., :-1] if original.has_alpha else array


def scaled(original: Original, settings: PixelSettings) -> NDArray[np.uint8]:
    """Return (h, w, c) of 8 bits per channel; transparency keeps its own scale."""
    array = np.asarray(original.content)
    if original.bits <= 8:
        return array.astype(np.uint8)
    if not isinstance(settings.scale, tuple):
        raise MissingSettingError(
            f"has {original.bits} bits per channel; set prepare.scale to data, or to the values "
            "[low, high] that become black and white"
        )
    colours = _table(*settings.scale)[_colours(array, original)]
    alpha = _table(0, FULL)[array[..., colours.shape[2] :]]
    return np.concatenate([colours, alpha], axis=2)


@lru_cache(maxsize=4)
def _table(low: int, high: int) -> NDArray[np.uint8]:
    """Return what each value of 16 bits becomes; halves are rounded to the even number."""
    scaled = np.rint((np.arange(FULL + 1) - low) * 255 / (high - low))
    return np.clip(scaled, 0, 255).astype(np.uint8)
