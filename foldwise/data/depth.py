"""The bits per channel that the header of an image file states.

Pillow's modes do not tell: it cuts most images of more than 8 bits to 8.
"""

import re
from collections.abc import Callable
from typing import IO, cast

from PIL import Image
from PIL.ImageFile import ImageFile

HEAD_BYTES = 65_536  # JPEG, JPEG 2000 and AVIF state their depth here
NETPBM = re.compile(rb"P([2356])" + 3 * rb"(?:\s|#[^\n]*\n)+(\d+)" + rb"\s")


def bits_per_channel(image: Image.Image) -> int:
    """Return the largest number of bits of a channel; 8 for fewer.

    Args:
        image: Undecoded, or not from a file.
    """
    measure = DEPTHS.get(image.format or "")
    stated = measure(_head(image)) if measure and isinstance(image, ImageFile) else 8
    if stated > 8:
        return stated
    return 32 if image.mode in ("I", "F") else 16 if image.mode.startswith("I;16") else 8


def jpeg_depth(head: bytes) -> int:
    """Return the bits of the first frame header (ITU-T T.81, B.2.2), or 0."""
    at = 2
    while head[at : at + 1] == b"\xff" and len(head) > at + 4:
        if head[at + 1] in range(0xC0, 0xD0) and head[at + 1] not in (0xC4, 0xC8, 0xCC):
            return head[at + 4]
        at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return 0


def _head(image: ImageFile) -> bytes:
    """Return the first bytes of the file, and leave its position as it was."""
    file = cast("IO[bytes]", image.fp)
    position = file.tell()
    file.seek(0)
    head = file.read(HEAD_BYTES if image.format != "PNG" else 32)
    file.seek(position)
    return head


def _png_depth(head: bytes) -> int:
    return head[24]  # of IHDR, which is always first


def _netpbm_depth(head: bytes) -> int:
    match = NETPBM.match(head)
    return int(match[4]).bit_length() if match else 0


def _jpeg2000_depth(head: bytes) -> int:
    """Return the largest depth of the components (ITU-T T.800, A.5.1, marker SIZ)."""
    _, _, size = head.partition(b"\xff\x4f\xff\x51")
    n = int.from_bytes(size[36:38], "big")
    return max(((depth & 0x7F) + 1 for depth in size[38 : 38 + 3 * n : 3]), default=0)


def _avif_depth(head: bytes) -> int:
    _, _, config = head.partition(b"av1C")  # AV1 ISO media file format, 2.3.3
    flags = config[2] if len(config) > 2 else 0
    return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10


def _sgi_depth(head: bytes) -> int:
    return 8 * head[3]


DEPTHS: dict[str, Callable[[bytes], int]] = {
    "PNG": _png_depth,
    "PPM": _netpbm_depth,
    "JPEG2000": _jpeg2000_depth,
    "AVIF": _avif_depth,
    "SGI": _sgi_depth,
}
