"""Image files of depths and bands that Pillow does not write."""

import struct
import zlib

import numpy as np
import tifffile
from PIL import Image


def noise(width, height, seed=0):
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def deep(n_bands, dtype=np.uint16):
    """Return (6, 5, n_bands) of values that differ in both of their bytes."""
    high = np.iinfo(dtype).max + 1
    return np.random.default_rng(n_bands).integers(0, high, (6, 5, n_bands)).astype(dtype)


def write_png(path, rows, bits, colour_type, width, chunks=()):
    """Write a PNG of given raw rows, because Pillow writes few depths."""
    head = struct.pack(">IIBBBBB", width, len(rows), bits, colour_type, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for name, body in ((b"IHDR", head), *chunks, (b"IDAT", data), (b"IEND", b"")):
            file.write(struct.pack(">I", len(body)) + name + body)
            file.write(struct.pack(">I", zlib.crc32(name + body)))


def write_png16(path, pixels, chunks=()):
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[pixels.shape[2]]
    rows = [row.astype(">u2").tobytes() for row in pixels]
    write_png(path, rows, 16, colour_type, pixels.shape[1], chunks)


def write_pnm(path, pixels):
    magic = b"P5" if pixels.shape[2] == 1 else b"P6"
    head = b"%s\n# a comment\n%d %d 65535\n" % (magic, pixels.shape[1], pixels.shape[0])
    path.write_bytes(head + pixels.astype(">u2").tobytes())


def write_tiff(path, pixels, **options):
    options = {"photometric": "rgb" if pixels.shape[2] == 3 else "minisblack"} | options
    if pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    elif options["photometric"] == "minisblack":
        options |= {"planarconfig": "contig"}
    tifffile.imwrite(path, pixels, **options)
