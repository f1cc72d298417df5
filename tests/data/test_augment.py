from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from foldwise.data.augment import ERASED_VALUE, as_images, augment, draw_augmentation
from foldwise.files.params import AugmentSection

OFF = {"shift": 0, "flip": 0.0, "rotation": 0.0, "erase": 0.0, "brightness": 0.0, "contrast": 0.0}
ALL = {
    "shift": 0.3,
    "flip": 0.5,
    "rotation": 25.0,
    "erase": 0.5,
    "brightness": 0.2,
    "contrast": 0.3,
}


def pixels(n=6, height=9, width=7, channels=3):
    rng = np.random.default_rng(0)
    array = rng.integers(0, 256, (n, height, width, channels), dtype=np.uint8)
    return torch.from_numpy(array)


def no_draws(n):
    return draw_augmentation(AugmentSection(**OFF), (n, 9, 7), 0, (0, 0, 1))


def test_a_recipe_of_zeros_changes_nothing():
    images = pixels()
    out = augment(images, no_draws(6), AugmentSection(**OFF))
    assert torch.equal(out, images.permute(0, 3, 1, 2).float())
    assert out.is_contiguous(memory_format=torch.channels_last)


def test_flip_mirrors_left_and_right():
    images, recipe = pixels(), AugmentSection(**OFF | {"flip": 1.0})
    out = augment(images, draw_augmentation(recipe, images.shape, 0, (0, 0, 1)), recipe)
    assert torch.equal(out, as_images(images).flip(3))


@pytest.mark.parametrize(("down", "right"), [(2, 0), (-2, 0), (0, 3), (1, -3), (-1, 1)])
def test_shift_moves_by_whole_pixels_and_repeats_the_edge(down, right):
    images, recipe = pixels(), AugmentSection(**OFF | {"shift": 0.4})
    draws = replace(no_draws(6), shift=np.tile([down, right], (6, 1)))
    out = augment(images, draws, recipe)
    padded = torch.nn.functional.pad(as_images(images), (3, 3, 3, 3), mode="replicate")
    assert torch.equal(out, padded[:, :, 3 - down : 12 - down, 3 - right : 10 - right])


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_are_counter_clockwise(quarters):
    images, recipe = pixels(height=8, width=8), AugmentSection(**OFF | {"rotation": 180.0})
    draws = replace(no_draws(6), angle=np.full(6, quarters * np.pi / 2, dtype=np.float32))
    out = augment(images, draws, recipe)
    torch.testing.assert_close(
        out, torch.rot90(as_images(images), quarters, (2, 3)), atol=0.01, rtol=0
    )


def test_rotation_keeps_right_angles_in_oblong_images():
    """A half turn of an oblong image is exact; a shear would not be."""
    images, recipe = pixels(height=9, width=4), AugmentSection(**OFF | {"rotation": 180.0})
    draws = replace(no_draws(6), angle=np.full(6, np.pi, dtype=np.float32))
    out = augment(images, draws, recipe)
    torch.testing.assert_close(out, as_images(images).flip(2, 3), atol=0.01, rtol=0)
    square = torch.zeros(1, 20, 40, 1, dtype=torch.uint8)
    square[:, 7:13, 17:23] = 200
    draws = replace(no_draws(1), angle=np.full(1, np.pi / 2, dtype=np.float32))
    turned = augment(square, draws, recipe)
    torch.testing.assert_close(turned, as_images(square), atol=0.1, rtol=0)


def test_contrast_keeps_the_mean_and_brightness_scales_it():
    images = pixels() // 4 + 90
    draws = replace(no_draws(6), contrast=np.full(6, 0.5, dtype=np.float32))
    out = augment(images, draws, AugmentSection(**OFF | {"contrast": 0.5}))
    plain = as_images(images)
    torch.testing.assert_close(out.mean((1, 2, 3)), plain.mean((1, 2, 3)), atol=0.01, rtol=0)
    torch.testing.assert_close(out.std((1, 2, 3)), plain.std((1, 2, 3)) / 2, atol=0.01, rtol=0)
    draws = replace(no_draws(6), brightness=np.full(6, 1.5, dtype=np.float32))
    out = augment(images, draws, AugmentSection(**OFF | {"brightness": 0.5}))
    torch.testing.assert_close(out, (plain * 1.5).clamp(0, 255))


def test_erasing_greys_the_rectangle_and_nothing_else():
    images, recipe = pixels(height=10, width=10), AugmentSection(**OFF | {"erase": 1.0})
    box = np.tile(np.array([0.2, 0.5, 0.3, 0.4], dtype=np.float32), (6, 1))
    out = augment(images, replace(no_draws(6), erased=box), recipe)
    expected = as_images(images).clone()
    expected[:, :, 2:5, 5:9] = ERASED_VALUE
    assert torch.equal(out, expected)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 19), min_size=1, max_size=8), st.integers(1, 3))
def test_a_batch_gives_what_its_images_give_one_by_one(index, channels):
    images, recipe = pixels(20, channels=channels), AugmentSection(**ALL)
    draws, rows = draw_augmentation(recipe, images.shape, 0, (0, 1, 2)), np.array(index)
    batch = augment(images[index], draws.take(rows), recipe)
    alone = [augment(images[[i]], draws.take(np.array([i])), recipe)[0] for i in index]
    torch.testing.assert_close(batch, torch.stack(alone), atol=1e-3, rtol=0)
    assert batch.shape == (len(index), channels, 9, 7)
    assert batch.min() >= 0
    assert batch.max() <= 255
