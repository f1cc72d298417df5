"""Which files are images: by their content, where the ending does not say it."""

import os
import warnings
from pathlib import Path

from PIL import Image

from foldwise.core.errors import InputError, is_of_system

# Pillow detects a format from the content: an EPS file named .jpg would run Ghostscript. So only
# formats whose decoders start no program.
FORMATS = (
    *("JPEG", "PNG", "BMP", "DIB", "GIF", "WEBP", "TIFF", "PPM", "AVIF", "JPEG2000"),
    *("PCX", "QOI", "SGI"),
)
ENDINGS = (  # of these formats; with another ending, the content decides
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".bmp", ".dib", ".gif", ".webp"),
    *(".tif", ".tiff", ".pbm", ".pgm", ".ppm", ".pnm", ".avif", ".avifs"),
    *(".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".pcx", ".qoi", ".tga"),
)
RAW = (".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".rw2", ".srw")
# Images, too, which decoding reports: a class would lose them without notice.
UNSUPPORTED = {
    **dict.fromkeys((".heic", ".heif", ".hif"), "HEIC"),
    **dict.fromkeys((".dcm", ".dicom"), "DICOM"),
    **dict.fromkeys(RAW, "camera raw"),
    ".jxl": "JPEG XL",
}
ALL_ENDINGS = (*ENDINGS, *UNSUPPORTED)
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL ")
# Such a file is an image even if Pillow cannot open it: broken, or a TIFF of many bands.
MARKS = (b"\xff\xd8\xff", b"\x89PNG", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1"
DICOM_AT = 128  # bytes before its mark
HEAD_BYTES = 132
SMALLEST = 16  # bytes that Pillow looks at; no image has fewer


def open_image(path: Path) -> Image.Image:
    """Open an image of any supported format, whatever its ending.

    Raises:
        InputError: If it is known what the file is instead. The message lacks its name.
        Exception: Of Pillow, for other files.
    """
    ending = path.suffix.lower()
    # TGA has no mark at its beginning, so that Pillow takes other files for it. Of camera raw
    # files Pillow would open the preview.
    formats = () if ending in RAW else ("TGA",) if ending == ".tga" else FORMATS
    try:
        return Image.open(path, formats=formats)
    except Exception:
        if reason := _unreadable_reason(path):
            raise InputError(reason) from None
        raise


def _unreadable_reason(path: Path) -> str | None:
    """Return what a file is that Pillow cannot open, and the remedy, if it is known."""
    head = _head(path)
    if head.startswith(LFS_POINTER):
        return "is a Git LFS pointer, not the image; run 'git lfs pull' to fetch the images"
    name = _unsupported_format(head) or UNSUPPORTED.get(path.suffix.lower())
    return name and f"is a {name} image, an unsupported format; convert it to PNG or JPEG"


def _unsupported_format(head: bytes) -> str | None:
    if head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS:
        return "HEIC"
    if head.startswith(JPEG_XL):
        return "JPEG XL"
    return "DICOM" if head[DICOM_AT:] == b"DICM" else None


def has_image_ending(name: str) -> bool:
    """Return whether a file is taken for an image without a look at its content."""
    return name.lower().endswith(ALL_ENDINGS)


def is_image(path: Path) -> bool:
    """Return whether the content of a file is an image, possibly one that cannot be read."""
    head = _head(path)
    if len(head) < SMALLEST:
        return False
    if head.startswith(MARKS) or _unsupported_format(head):
        return True
    Image.init()
    accept = (Image.OPEN[name][1] for name in FORMATS)
    if not any(accepts and accepts(head) for accepts in accept):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about large images
            Image.open(path, formats=FORMATS).close()
    except Image.DecompressionBombError:
        return True
    except Exception as error:  # Pillow raises anything on other files
        if is_of_system(error):
            raise
        return False
    return True


def _head(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)  # a third of the time of path.open
    try:
        return os.read(descriptor, HEAD_BYTES)
    finally:
        os.close(descriptor)
