import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps
from sklearn.datasets import load_digits

from foldwise.data.near_duplicates import find_near_duplicates, join_near_duplicates

SIDE = 48


def as_jpeg(image):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=30)
    return Image.open(file)


COPIES = {
    "re-encoded": as_jpeg,
    "resized": lambda image: image.resize((20, 20)).resize((SIDE, SIDE)),
    "brightened": lambda image: ImageEnhance.Brightness(image).enhance(1.3),
    "less contrast": lambda image: ImageEnhance.Contrast(image).enhance(0.7),
    "cropped": lambda image: image.resize((SIDE, SIDE), box=(2.0, 0.4, SIDE - 0.4, SIDE - 2.0)),
    "mirrored": ImageOps.mirror,
}


@pytest.fixture(scope="module")
def photos():
    """Return 80 different images in colour, smooth like photos."""
    coarse = np.random.default_rng(0).integers(0, 200, (80, 7, 7, 3), dtype=np.uint8)
    return [Image.fromarray(pixels).resize((SIDE, SIDE)) for pixels in coarse]


def stack(images):
    return np.stack([np.asarray(image.convert("RGB")) for image in images])


def find(images, labels=None):
    labels = np.zeros(len(images), dtype=np.int64) if labels is None else np.array(labels)
    return sorted(map(tuple, find_near_duplicates(images, labels).tolist()))


@pytest.mark.parametrize("kind", COPIES)
def test_copies_are_found_and_nothing_else(photos, kind):
    copies = [COPIES[kind](photo) for photo in photos[10:15]]
    assert find(stack([*photos, *copies])) == [(10 + n, 80 + n) for n in range(5)]


def test_copies_of_copies_of_half_the_data_set_are_found(photos):
    """A data set that somebody has augmented before: many images have near-duplicates."""
    copies = [COPIES[kind](photo) for photo in photos[:40] for kind in ("brightened", "cropped")]
    pairs = find(stack([*photos, *copies]))
    assert {(n, 80 + 2 * n + k) for n in range(40) for k in (0, 1)} <= set(pairs)
    assert len(pairs) <= 3 * 40


@pytest.mark.parametrize("n_copies", [22, 60])
def test_images_with_many_copies_each_are_found(photos, n_copies):
    """So many that the distant neighbour of every image is one of its copies."""
    rng, sources = np.random.default_rng(0), np.repeat(np.arange(6), n_copies)
    images = stack(photos)[sources] // 2 + rng.integers(0, 9, (len(sources), SIDE, SIDE, 3))
    joined = join_near_duplicates(np.arange(len(images)), np.array(find(images.astype(np.uint8))))
    assert len(set(joined)) == len(set(zip(joined, sources, strict=True))) == 6


def test_digits_of_a_class_are_not_the_same_image():
    digits = load_digits()
    images = (digits.images[..., None] * 255 / 16).astype(np.uint8)
    assert len(find(images, digits.target)) <= 3


def test_mirrored_images_of_other_classes_are_different(photos):
    images = stack([*photos, ImageOps.mirror(photos[0])])
    assert find(images, [0] * 80 + [1]) == []


def test_equal_pixels_are_left_to_the_groups(photos):
    images = stack([*photos, photos[3], as_jpeg(photos[3])])
    assert find(images) == [(3, 81)]
    assert find(images[:1]) == find(np.repeat(images[:1], 3, axis=0)) == []
    assert find(np.zeros((4, 8, 8, 1), dtype=np.uint8)) == []


def test_single_pixels_have_no_near_duplicates():
    assert find(np.arange(4, dtype=np.uint8).reshape(4, 1, 1, 1)) == []


def test_near_duplicates_join_groups_in_chains():
    joined = join_near_duplicates(np.array([0, 1, 2, 3, 1]), np.array([[0, 1], [3, 4]]))
    assert joined[[0, 1, 3, 4]].tolist() == [joined[0]] * 4
    assert joined[2] != joined[0]
    untouched = join_near_duplicates(np.array([1, 0, 1]), np.empty((0, 2), dtype=np.int64))
    assert untouched[0] == untouched[2] != untouched[1]
