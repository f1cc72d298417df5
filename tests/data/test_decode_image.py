import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_files import deep, noise, write_png, write_png16, write_tiff
from PIL import Image

from foldwise.data.pixels import PixelSettings, decode_image

NATIVE = PixelSettings()


def square(side, **settings):
    return PixelSettings((side, side), **settings)


def test_native_size_keeps_every_pixel():
    image = noise(7, 4)
    assert np.array_equal(decode_image(image, NATIVE).pixels, np.asarray(image))


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.tuples(st.integers(4, 20), st.integers(4, 20)),
    st.sampled_from(["crop", "pad", "stretch"]),
)
def test_any_size_becomes_the_size_asked_for(width, height, size, resize):
    settings = PixelSettings(size, resize)
    assert decode_image(noise(width, height), settings).pixels.shape == (*size, 3)


@pytest.mark.parametrize("resize", ["crop", "pad", "stretch"])
def test_image_of_the_right_size_is_not_touched(resize):
    image = noise(9, 8)
    decoded = decode_image(image, PixelSettings((8, 9), resize))
    assert np.array_equal(decoded.pixels, np.asarray(image))
    assert decoded.is_original
    assert decoded.cropped_share == 0


def test_centre_counts_of_a_long_image():
    strip = np.zeros((8, 24, 3), dtype=np.uint8)
    strip[:, 7:17] = 200  # the square, and what the filter sees beside it
    decoded = decode_image(Image.fromarray(strip), square(4))
    assert np.all(decoded.pixels == 200)
    assert decoded.cropped_share == pytest.approx(2 / 3)


def test_crop_keeps_the_central_part_of_the_shape_asked_for():
    image = noise(90, 60)
    decoded = decode_image(image, PixelSettings((10, 30))).pixels
    part = image.crop((0, 15, 90, 45)).resize((30, 10), Image.Resampling.BOX)
    assert np.abs(decoded.astype(int) - np.asarray(part)).mean() < 12


def test_pad_keeps_an_object_at_the_edge():
    strip = np.zeros((24, 96, 3), dtype=np.uint8)
    strip[:, :8] = 200
    padded = decode_image(Image.fromarray(strip), square(96, resize="pad", background=(1, 2, 3)))
    assert np.array_equal(padded.pixels[36:60], strip)
    assert np.all(padded.pixels[:36] == (1, 2, 3))
    assert np.all(padded.pixels[60:] == (1, 2, 3))
    assert padded.cropped_share == 0


def test_stretch_distorts():
    image = noise(24, 8)
    expected = image.resize((10, 10), Image.Resampling.BILINEAR)
    stretched = decode_image(image, square(10, resize="stretch")).pixels
    assert np.array_equal(stretched, np.asarray(expected))


@pytest.mark.parametrize("resize", ["crop", "pad"])
def test_huge_strip_needs_no_huge_image_in_between(resize):
    image = Image.new("RGB", (1_000_000, 1))
    assert decode_image(image, square(2048, resize=resize)).pixels.shape == (2048, 2048, 3)


def test_equal_to_resizing_the_shorter_side_and_cropping():
    image = noise(90, 60).resize((360, 240), Image.Resampling.BICUBIC)
    reference = image.resize((48, 32), Image.Resampling.BILINEAR).crop((8, 0, 40, 32))
    ours = decode_image(image, square(32)).pixels
    assert np.abs(ours.astype(int) - np.asarray(reference)).max() <= 1


def test_shrinking_does_not_alias():
    stripes = np.zeros((64, 64, 3), dtype=np.uint8)
    stripes[:, ::2] = 255  # any filter without antialiasing gives black or white
    shrunk = decode_image(Image.fromarray(stripes), square(8)).pixels
    assert np.abs(shrunk.astype(int) - 127).max() <= 8


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_equal_channels_are_grey_whatever_the_mode(mode):
    image = noise(5, 5).convert("1" if mode == "1" else "L")
    picture = decode_image(image.convert(mode), NATIVE)
    assert picture.is_grey
    assert np.array_equal(picture.pixels, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA", "CMYK", "YCbCr"])
def test_palette_opaque_alpha_and_others_become_rgb(mode):
    image = noise(5, 5).convert(mode)
    picture = decode_image(image, NATIVE)
    assert not picture.is_grey
    assert picture.is_original
    assert np.array_equal(picture.pixels, np.asarray(image.convert("RGB")))


def test_grey_resizes_alike_as_grey_and_as_rgb():
    grey = noise(50, 50).convert("L")
    alone = grey.resize((16, 16), Image.Resampling.BILINEAR)
    assert np.array_equal(decode_image(grey, square(16)).pixels[..., 1], np.asarray(alone))


@pytest.mark.parametrize("kind", ["RGBA", "LA", "RGBA of 16 bits", "RGBA in TIFF"])
def test_transparent_parts_lie_on_the_background(kind, tmp_path):
    pixels = deep(4, np.uint8)
    pixels[0, :, 3], pixels[1, :, 3] = 0, 255
    path = tmp_path / "a.png"
    if kind == "LA":
        pixels[..., :3] = pixels[..., :1]
        Image.fromarray(np.ascontiguousarray(pixels[..., 2:])).save(path)
    elif kind == "RGBA of 16 bits":
        write_png16(path, pixels * np.uint16(257))
    else:
        Image.fromarray(pixels).save(path, "TIFF" if "TIFF" in kind else "PNG")
    ground = (250, 100, 10)
    settings = PixelSettings(background=ground, scale=(0, 65_535))
    alpha = pixels[..., 3:] / 255
    expected = pixels[..., :3] * alpha + np.array(ground) * (1 - alpha)
    decoded = decode_image(path, settings)
    assert np.abs(decoded.pixels - expected).max() <= 1
    assert np.array_equal(decoded.pixels[1], pixels[1, :, :3])
    assert not decoded.is_original


@pytest.mark.parametrize("mode", ["P", "L", "RGB"])
def test_transparent_colour_lies_on_the_background(mode, tmp_path):
    image = Image.fromarray(np.uint8([[0, 128]])).convert(mode)
    colour = (0, 0, 0) if mode == "RGB" else image.getpixel((0, 0))
    image.save(tmp_path / "a.png", transparency=colour)
    white, grey = decode_image(tmp_path / "a.png", NATIVE).pixels[0]
    assert white.tolist() == [255] * 3
    assert np.abs(grey.astype(int) - 128).max() <= 2


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PNG of 16 bits", "TIFF of 16 bits"])
def test_exif_orientation_is_applied(kind, tmp_path):
    pixels, path = deep(3, np.uint16 if "16" in kind else np.uint8), tmp_path / "a"
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° clockwise to see it upright
    if kind == "PNG of 16 bits":
        write_png16(path, pixels, [(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))])
    elif kind == "PNG":
        Image.fromarray(pixels).save(path, "PNG", exif=exif)
    else:
        write_tiff(path, pixels, extratags=[(274, 3, 1, 6, True)])
    decoded = decode_image(path, PixelSettings(scale=(0, 255)))
    assert np.array_equal(decoded.pixels, np.rot90(pixels.clip(0, 255), -1))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_grey_of_few_bits_is_scaled_to_8(bits, tmp_path):
    values = np.arange(8, dtype=np.uint8).reshape(1, 8) % 2**bits
    packed = np.packbits(np.unpackbits(values[..., None], axis=2)[..., -bits:].ravel())
    write_png(tmp_path / "a", [packed.tobytes()], bits, 0, 8)
    write_pgm = b"P5 8 1 %d\n" % (2**bits - 1)
    (tmp_path / "b").write_bytes(write_pgm + values.tobytes())
    for name in "ab":
        decoded = decode_image(tmp_path / name, NATIVE)
        assert decoded.is_original
        assert np.array_equal(decoded.pixels[..., 0], values * (255 // (2**bits - 1)))


def test_scale_maps_its_limits_to_0_and_255_and_rounds(tmp_path):
    pixels = np.arange(90, 1200, dtype=np.uint16).reshape(30, 37, 1)
    write_tiff(tmp_path / "a", pixels)
    decoded = decode_image(tmp_path / "a", PixelSettings(scale=(100, 1100)))
    expected = np.rint((pixels.astype(np.float64).clip(100, 1100) - 100) * 0.255)
    assert np.array_equal(decoded.pixels[..., :1], expected)
    assert decoded.is_grey


def test_bands_are_resized_and_padded_one_by_one(tmp_path):
    pixels = deep(5, np.uint8)
    write_tiff(tmp_path / "a", pixels)
    decoded = decode_image(tmp_path / "a", PixelSettings((6, 9), "pad", (0, 0, 0))).pixels
    assert np.array_equal(decoded[:, 2:7], pixels)
    assert not decoded[:, :2].any()
    shrunk = decode_image(tmp_path / "a", square(4)).pixels
    band = Image.fromarray(np.ascontiguousarray(pixels[..., 3]))
    rgb = decode_image(band, square(4)).pixels
    assert np.array_equal(shrunk[..., 3], rgb[..., 0])
