import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from foldwise.core.errors import InputError
from foldwise.data.decode import decode_image


def noise(width, height, seed=0):
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_native_size_keeps_every_pixel():
    image = noise(7, 4)
    assert np.array_equal(decode_image(image, None).pixels, np.asarray(image))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(4, 20))
def test_any_size_becomes_the_square_asked_for(width, height, side):
    assert decode_image(noise(width, height), side).pixels.shape == (side, side, 3)


def test_image_of_the_right_size_is_not_touched():
    image = noise(8, 8)
    assert np.array_equal(decode_image(image, 8).pixels, np.asarray(image))


def test_centre_counts_of_a_long_image():
    strip = np.zeros((8, 24, 3), dtype=np.uint8)
    strip[:, 7:17] = 200  # the square, and what the filter sees beside it
    assert np.all(decode_image(Image.fromarray(strip), 4).pixels == 200)


def test_huge_strip_needs_no_huge_image_in_between():
    assert decode_image(Image.new("RGB", (1_000_000, 1)), 2048).pixels.shape == (2048, 2048, 3)


def test_equal_to_resizing_the_shorter_side_and_cropping():
    image = noise(90, 60).resize((360, 240), Image.Resampling.BICUBIC)
    reference = image.resize((48, 32), Image.Resampling.BILINEAR).crop((8, 0, 40, 32))
    ours = decode_image(image, 32).pixels
    assert np.abs(ours.astype(int) - np.asarray(reference)).max() <= 1


def test_shrinking_does_not_alias():
    stripes = np.zeros((64, 64, 3), dtype=np.uint8)
    stripes[:, ::2] = 255  # any filter without antialiasing gives black or white
    assert np.abs(decode_image(Image.fromarray(stripes), 8).pixels.astype(int) - 127).max() <= 8


@pytest.mark.parametrize("mode", ["1", "L"])
def test_one_channel_is_grey(mode):
    picture = decode_image(noise(5, 5).convert(mode), None)
    assert picture.is_grey
    assert np.array_equal(picture.pixels[..., 0], picture.pixels[..., 2])


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA", "LA", "CMYK", "YCbCr"])
def test_palette_alpha_and_others_become_rgb(mode):
    image = noise(5, 5).convert(mode)
    picture = decode_image(image, None)
    assert not picture.is_grey
    assert np.array_equal(picture.pixels, np.asarray(image.convert("RGB")))


def test_grey_resizes_alike_as_grey_and_as_rgb():
    grey = noise(50, 50).convert("L")
    alone = grey.resize((16, 16), Image.Resampling.BILINEAR)
    assert np.array_equal(decode_image(grey, 16).pixels[..., 1], np.asarray(alone))


def test_exif_orientation_is_applied(tmp_path):
    image, exif = noise(6, 3), Image.Exif()
    exif[0x0112] = 6  # turn by 90° clockwise to see it upright
    image.save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as opened:
        assert np.array_equal(decode_image(opened, None).pixels, np.rot90(np.asarray(image), -1))


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_more_than_8_bits_a_channel(mode):
    with pytest.raises(InputError, match=f"8 bits .*mode {mode}.; convert it to 8 bit"):
        decode_image(Image.new(mode, (4, 4)), None)


def test_decompression_bomb():
    with pytest.raises(InputError, match="is 10000×9000 pixels, over 89,478,485; make it smaller"):
        decode_image(Image.new("1", (10_000, 9_000)), 8)
