import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from foldwise.data.pictures import STRIP_GAP, TILE_SIDE, image_strip

SIDES = st.integers(1, 300)


@given(SIDES, SIDES, st.integers(1, 8), st.integers(1, 8))
def test_every_image_is_49_to_96_pixels_on_its_longer_side(height, width, channels, n):
    picture = image_strip(np.zeros((n, height, width, channels), dtype=np.uint8))
    side = (picture.width + STRIP_GAP) / n - STRIP_GAP
    assert 49 <= max(side, picture.height) <= TILE_SIDE
    assert side == int(side)


@given(arrays(np.uint8, st.tuples(st.integers(1, 4), st.just(8), st.just(6), st.just(3))))
def test_each_pixel_of_a_small_image_is_a_square_of_its_colour(images):
    pixels = np.asarray(image_strip(images))
    factor = TILE_SIDE // 8
    for place, image in enumerate(images):
        left = place * (6 * factor + STRIP_GAP)
        tile = pixels[:, left : left + 6 * factor]
        assert (tile[..., 3] == 255).all()
        np.testing.assert_array_equal(tile[..., :3], np.kron(image, np.ones((factor, factor, 1))))


def test_between_images_the_page_shows_through():
    pixels = np.asarray(image_strip(np.full((2, 8, 8, 1), 200, dtype=np.uint8)))
    assert pixels.shape == (TILE_SIDE, 2 * TILE_SIDE + STRIP_GAP, 4)
    assert (pixels[:, TILE_SIDE : TILE_SIDE + STRIP_GAP, 3] == 0).all()


def test_a_pixel_of_a_large_image_is_the_mean_of_a_square():
    image = np.random.default_rng(0).integers(0, 256, (192, 192, 3), dtype=np.uint8)
    mean = image.reshape(96, 2, 96, 2, 3).mean(axis=(1, 3))
    shown = np.asarray(image_strip(image[None]))[..., :3]
    assert np.abs(shown - mean).max() <= 0.5


@pytest.mark.parametrize("channels", range(1, 9))
def test_any_number_of_channels_is_shown(channels):
    """Red, green and blue are the first three; one and two channels are grey."""
    image = np.arange(channels, dtype=np.uint8).reshape(1, 1, 1, channels) * 20 + 10
    colour = [10, 30, 50] if channels >= 3 else [10, 10, 10]
    assert np.asarray(image_strip(image))[0, 0].tolist() == [*colour, 255]


def test_a_strip_without_images_is_empty():
    assert np.asarray(image_strip(np.zeros((0, 8, 8, 1), dtype=np.uint8))).max() == 0


def test_a_file_is_small_and_always_the_same_bytes(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (8, 28, 28, 1), dtype=np.uint8)
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    for path, copy in ((first, images), (second, images.copy())):
        image_strip(copy).save(path, optimize=True)
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size < 20_000
    with Image.open(first) as picture:
        np.testing.assert_array_equal(np.asarray(picture), image_strip(images))
        assert picture.info == {}  # no date, no software
