import io

import numpy as np
import pytest
import tifffile
from image_files import deep, noise, write_png16, write_pnm, write_tiff
from PIL import Image

from foldwise.core.errors import InputError
from foldwise.data.depth import DEPTHS
from foldwise.data.originals import read_original
from foldwise.data.pixels import PixelSettings, decode_image

NATIVE = PixelSettings()


@pytest.mark.parametrize(
    ("write", "n_bands", "dtype", "options"),
    [
        *((write_png16, n, np.uint16, {}) for n in (1, 2, 3, 4)),
        *((write_pnm, n, np.uint16, {}) for n in (1, 3)),
        *((write_tiff, n, np.uint16, {"compression": "zlib"}) for n in (1, 2, 3, 5, 8)),
        (write_tiff, 1, np.uint16, {"byteorder": ">"}),
        (write_tiff, 3, np.uint16, {"byteorder": ">"}),
        (write_tiff, 4, np.uint8, {"photometric": "rgb", "extrasamples": [0]}),  # near infrared
        *((write_tiff, n, np.uint8, {}) for n in (2, 4, 5, 8)),
    ],
)
def test_every_bit_of_every_band_is_read(write, n_bands, dtype, options, tmp_path):
    pixels = deep(n_bands, dtype)
    write(tmp_path / "a", pixels, **options)
    original = read_original(tmp_path / "a")
    assert np.array_equal(original.content, pixels)
    assert original.bits == 8 * pixels.itemsize
    assert original.has_alpha == (write is write_png16 and n_bands in (2, 4))


@pytest.mark.parametrize("options", [{}, {"photometric": "rgb", "planarconfig": "separate"}])
def test_bands_one_after_the_other_are_read(options, tmp_path):
    pixels = deep(3 if options else 5)
    planar = {"photometric": "minisblack", "planarconfig": "separate"} | options
    tifffile.imwrite(tmp_path / "a", np.moveaxis(pixels, -1, 0), **planar)
    assert np.array_equal(read_original(tmp_path / "a").content, pixels)


@pytest.mark.parametrize(("form", "kind"), [("TIFF", "tiff_lzw"), ("JPEG2000", None)])
def test_grey_of_16_bits_is_read_in_all_forms_of_pillow(form, kind, tmp_path):
    pixels = deep(1)
    options = {"compression": kind} if kind else {}
    Image.fromarray(pixels[..., 0]).save(tmp_path / "a", form, **options)
    assert np.array_equal(read_original(tmp_path / "a").content, pixels)


def patched(form, old, new, **options):
    """Return the bytes of an image whose header says something else."""
    file = io.BytesIO()
    noise(16, 16).save(file, form, **options)
    assert old in file.getvalue()
    return file.getvalue().replace(old, new, 1)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda p: write_png16(p, deep(3)), r"has 16 bits per channel; set prepare.scale to data"),
        (lambda p: write_tiff(p, deep(4)), r"has 16 bits per channel; set prepare.scale to data"),
        (lambda p: write_tiff(p, deep(9)), r"has 9 bands; expected at most 8"),
        (lambda p: write_tiff(p, deep(1).astype(np.float32)), r"32 bits \(float32.*; convert it"),
        (lambda p: write_tiff(p, deep(3).astype(np.float64)), r"64 bits \(float64.*; convert it"),
        (lambda p: write_tiff(p, deep(1).astype(np.int16)), r"16 bits \(int16.*; convert it"),
        (lambda p: write_tiff(p, deep(1), photometric="miniswhite"), r"MINISWHITE\); convert it"),
        (lambda p: write_png16(p, deep(1), [(b"tRNS", b"\0\0")]), r"transparent colour; save it"),
        (lambda p: p.write_text("P3 1 1 65535 1 2 3"), r"has 16 bits per channel in a form"),
        (lambda p: Image.new("F", (4, 4)).save(p, "PPM"), r"has 32 bits per channel in a form"),
        (lambda p: noise(4, 4).save(p, "SGI", bpc=2), r"has 16 bits per channel in a form"),
        (
            lambda p: p.write_bytes(patched("JPEG", b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c")),
            r"has 12 bits per channel in a form that is not supported; convert it to 8",
        ),
    ],
)
def test_what_cannot_be_read_whole_is_refused(make, reason, tmp_path):
    make(tmp_path / "a")
    with pytest.raises(InputError, match=reason):
        decode_image(tmp_path / "a", NATIVE)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_images_of_32_bits_in_memory_are_refused(mode):
    with pytest.raises(InputError, match=r"has 32 bits per channel .*; convert it to 8 bits"):
        decode_image(Image.new(mode, (4, 4)), PixelSettings(scale=(0, 255)))


@pytest.mark.parametrize(("flags", "bits"), [(0x0C, 8), (0x4C, 10), (0x6C, 12)])
def test_depth_of_avif_follows_from_its_configuration(flags, bits):
    assert DEPTHS["AVIF"](b"....av1C\x81\0" + bytes([flags, 0])) == bits


def test_depth_of_jpeg_2000_is_that_of_its_deepest_component():
    size = b"\0\x2f\0\0" + bytes(32) + b"\0\3" + b"\x07\1\1" + b"\x8b\1\1" + b"\x07\1\1"
    assert DEPTHS["JPEG2000"](b"jp2c\xff\x4f\xff\x51" + size) == 12


def test_decompression_bomb():
    with pytest.raises(InputError, match="is 10000×9000 pixels, over 89,478,485; make it smaller"):
        decode_image(Image.new("1", (10_000, 9_000)), NATIVE)
