"""Read one image file with all its bits and bands."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from foldwise.core.errors import InputError, counted, is_of_system
from foldwise.data.depth import HEAD_BYTES, NETPBM, bits_per_channel, jpeg_depth
from foldwise.data.image_formats import open_image

MAX_PIXELS = 89_478_485  # PIL's own limit against decompression bombs: 256 MiB of RGB
MAX_BANDS = 8
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
ORIENTATION, BITS, PHOTOMETRIC, SAMPLES, EXTRA = 274, 258, 262, 277, 338  # tags of TIFF
PREMULTIPLIED, ALPHA = 1, 2  # values of EXTRA
N_COLOURS = {2: 3, 5: 4, 6: 3, 8: 3}  # by PHOTOMETRIC: RGB, CMYK, YCbCr, LAB; 1 for others


class Original(NamedTuple):
    """An image as it is in its file, upright.

    Attributes:
        content: An image of 8 bits per channel, or an array (h, w, c) of uint8 or uint16 where
            Pillow has no mode that holds all bits or bands.
        bits: Bits per channel.
        has_alpha: Whether the last band of an array is transparency.
        n_more: The number of further pages or frames in the file.
    """

    content: Image.Image | NDArray[Any]
    bits: int = 8
    has_alpha: bool = False
    n_more: int = 0


def read_original(file: Image.Image | Path) -> Original:
    """Read an image with all bits and bands, upright (EXIF). Of several pages the first is used.

    Args:
        file: The path, or an image, which may be undecoded.

    Raises:
        InputError: If the image is broken, too large, or has a depth or number of bands that
            cannot be read. The message lacks the name of the file, which goes before it.
        OSError, MemoryError: If the system cannot read any file.
    """
    with decoder_errors():
        image = file if isinstance(file, Image.Image) else _open(file)
        if image is None:
            return _read_tiff(file)
        with image:
            _check_size(image.width, image.height)
            n_more = _count_frames(image) - 1
            return _read(image)._replace(n_more=n_more)


@contextmanager
def decoder_errors() -> Iterator[None]:
    """Raise any exception of a decoder as an InputError, but not errors of the system."""
    try:
        yield
    except InputError:
        raise
    except UnidentifiedImageError:
        reason = "is empty or not an image of a known format"
        raise InputError(f"{reason}; replace or remove it") from None
    except Exception as error:  # decoders raise anything on broken files
        if is_of_system(error):  # the image may be sound
            raise
        known = error.strerror if isinstance(error, OSError) else None  # without the path
        reason = " ".join(str(known or error).split()) or type(error).__name__
        raise InputError(f"cannot be decoded ({reason}); replace or remove it") from None


def _open(path: Path) -> Image.Image | None:
    """Return the image, or None for a TIFF that Pillow does not know."""
    try:
        return open_image(path)
    except UnidentifiedImageError:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if head.startswith(TIFF):
            return None
        if (bits := jpeg_depth(head)) > 8:
            raise _unsupported(bits) from None
        raise


def _read(image: Image.Image) -> Original:
    bits = bits_per_channel(image)
    if isinstance(image, TiffImageFile):
        bits = max(np.atleast_1d(image.tag_v2.get(BITS, 1)).tolist())
        if bits > 8 or _has_further_bands(image):
            return _read_deep_tiff(image, bits)
    if bits > 8:
        return _read_deep(image, bits)
    ImageOps.exif_transpose(image, in_place=True)
    return Original(image)


def _read_deep(image: Image.Image, bits: int) -> Original:
    """Read an image of more than 8 bits per channel that is not a TIFF."""
    if "transparency" in image.info:
        raise InputError(
            f"has {bits} bits per channel and a transparent colour; save it with an alpha channel "
            "or without transparency"
        )
    if image.format == "PPM" and bits <= 16:
        return Original(_read_netpbm(cast("ImageFile", image)), bits)
    if image.format == "PNG" and not image.mode.startswith("I"):
        return _read_deep_png(cast("ImageFile", image))
    if bits > 16 or not image.mode.startswith("I;16"):
        raise _unsupported(bits)
    pixels = np.asarray(image).astype(np.uint16)[..., None]
    if image.format == "JPEG2000":
        pixels >>= 16 - bits  # Pillow shifts the values up
    return Original(_turn(pixels, image), bits)


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise InputError(f"is {width}×{height} pixels, over {MAX_PIXELS:,}; make it smaller")


def _unsupported(bits: int) -> InputError:
    return InputError(
        f"has {bits} bits per channel in a form that is not supported; convert it to 8 bits, or "
        "to PNG or TIFF with 16 bits per channel"
    )


def _count_frames(image: Image.Image) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception as error:  # a later frame is broken; the first may be good
        if is_of_system(error):
            raise
        image.seek(0)
        return 1


def _read_deep_png(image: ImageFile) -> Original:
    """Read a PNG of 16-bit RGB, RGBA or LA.

    Pillow keeps the first byte of each value, or the second if it takes the file for
    little-endian. LA is read as if its four bytes per pixel were four channels.
    """
    raw_mode = str(image.tile[0].args)
    modes = ["RGBA"] if raw_mode.startswith("LA") else [raw_mode, f"{raw_mode[:-1]}L"]
    halves = [_load_as(image, mode) for mode in modes]
    if len(halves) == 1:
        both = np.asarray(halves[0])
        high, low = both[..., 0::2], both[..., 1::2]
    else:
        high, low = map(np.asarray, halves)
    pixels = high.astype(np.uint16) << 8 | low
    return Original(_turn(pixels, halves[0]), 16, has_alpha=pixels.shape[2] in (2, 4))


def _load_as(image: ImageFile, raw_mode: str) -> ImageFile:
    file = cast("IO[bytes]", image.fp)
    file.seek(0)
    again = Image.open(file, formats=["PNG"])
    again.tile = [again.tile[0]._replace(args=raw_mode)]
    again.load()
    return again


def _read_netpbm(image: ImageFile) -> NDArray[np.uint16]:
    """Read a binary PGM or PPM of 16 bits; Pillow changes its values."""
    file = cast("IO[bytes]", image.fp)
    file.seek(0)
    match = NETPBM.match(file.read(HEAD_BYTES))
    if match is None or match[1] in b"23":
        raise _unsupported(16)
    shape = (image.height, image.width, 1 if match[1] == b"5" else 3)
    file.seek(match.end())
    data = file.read(2 * int(np.prod(shape)))
    return np.frombuffer(data, ">u2").reshape(shape).astype(np.uint16)


def _has_further_bands(image: TiffImageFile) -> bool:
    """Return whether Pillow would drop bands, or take an unnamed band for transparency."""
    n_colours = N_COLOURS.get(image.tag_v2.get(PHOTOMETRIC, 0), 1)
    n_further = image.tag_v2.get(SAMPLES, 1) - n_colours
    extra = np.atleast_1d(image.tag_v2.get(EXTRA, 0)).tolist()
    return n_further > 1 or (n_further == 1 and extra[0] not in (PREMULTIPLIED, ALPHA))


def _read_deep_tiff(image: TiffImageFile, bits: int) -> Original:
    """Read grey with Pillow, which knows more compressions, and everything else with tifffile."""
    tags = image.tag_v2
    is_plain = tags.get(SAMPLES, 1) == 1 and tags.get(PHOTOMETRIC, 0) == 1
    if is_plain and image.mode.startswith("I;16"):
        return Original(np.asarray(image)[..., None].astype(np.uint16), bits)  # upright already
    file = cast("IO[bytes]", image.fp)
    file.seek(0)
    return _read_tiff(file)


def _read_tiff(file: Any) -> Original:  # noqa: ANN401
    """Read the first page of a TIFF with tifffile."""
    from tifffile import TiffFile  # here: few data sets need it

    with TiffFile(file) as tiff:
        page: Any = tiff.pages[0]
        n_bands, extra = page.samplesperpixel, list(map(int, page.extrasamples))
        _check_size(page.imagewidth, page.imagelength)
        if n_bands > MAX_BANDS:
            raise InputError(f"has {n_bands} bands; expected at most {MAX_BANDS}: save fewer")
        if page.dtype not in (np.uint8, np.uint16) or page.photometric.name not in (
            "MINISBLACK",
            "RGB",
        ):
            raise InputError(
                f"has {counted(n_bands, 'band')} of {page.bitspersample} bits "
                f"({page.dtype}, {page.photometric.name}); convert it to unsigned integers of 8 or "
                "16 bits, RGB or grey with black as 0"
            )
        if PREMULTIPLIED in extra:
            raise InputError("has premultiplied alpha; save it with unassociated alpha")
        tag = page.tags.get(ORIENTATION)
        pixels = _upright(_tiff_pixels(page), int(tag.value) if tag else 1)
        has_alpha = extra == [ALPHA] and n_bands in (2, 4)
        return Original(pixels, int(page.bitspersample), has_alpha, len(tiff.pages) - 1)


def _tiff_pixels(page: Any) -> NDArray[Any]:  # noqa: ANN401
    """Return (h, w, c)."""
    try:
        pixels: NDArray[Any] = page.asarray()
    except Exception as error:
        if "imagecodecs" not in str(error):
            raise
        raise InputError(
            f"is compressed with {page.compression.name}, which needs the package imagecodecs; "
            "install it, or save the file without compression"
        ) from None
    return pixels[..., None] if page.axes == "YX" else np.moveaxis(pixels, page.axes.index("S"), -1)


def _turn(pixels: NDArray[Any], image: Image.Image) -> NDArray[Any]:
    return _upright(pixels, int(image.getexif().get(ORIENTATION, 1)))


def _upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn (h, w, c) as the EXIF orientation says."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    y_step = -1 if orientation in (3, 4, 7, 8) else 1
    x_step = -1 if orientation in (2, 3, 6, 7) else 1
    return np.ascontiguousarray(pixels[::y_step, ::x_step])
