"""Parts of the augmentation with a random stream of their own, against torchvision."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional

from foldwise.core.errors import InputError
from foldwise.data.augment import as_images, augment, draw_augmentation, draw_view, is_identity
from foldwise.data.resized_crop import crop_boxes
from foldwise.data.trivial_augment import MAX_SHIFT, N_STRENGTHS, OPERATIONS, choose
from foldwise.files.params import AugmentSection

OFF = {"shift": 0, "flip": 0.0, "rotation": 0.0, "erase": 0.0, "brightness": 0.0, "contrast": 0.0}
OLD = OFF | {"shift": 0.2, "flip": 0.5, "rotation": 9.0, "erase": 0.5, "contrast": 0.2}
NEW = {
    "vertical_flip": 0.5,
    "resized_crop": 0.3,
    "trivial_augment": 0.8,
    "saturation": 0.4,
    "hue": 0.2,
}
PLACE = (0, 1, 2)


def pixels(n=12, height=40, width=36, channels=3):
    """Return smooth images with noise, as photos are."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((n, channels, 6, 5), dtype=np.float32))
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")
    noisy = smooth * 200 + 20 + torch.from_numpy(rng.normal(0, 5, smooth.shape).astype(np.float32))
    return noisy.round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous()


def applied(images, **parts):
    recipe = AugmentSection(**OFF | parts)
    draws = draw_augmentation(recipe, images.shape, 0, PLACE)
    return augment(images, draws, recipe), draws.uniforms


def factors(uniforms, width):
    return ((2 * uniforms[:, 0] - 1) * width).tolist()


def test_flips_and_crops_are_those_of_torchvision():
    images = pixels()
    out, uniforms = applied(images, vertical_flip=0.5)
    flipped = uniforms["vertical_flip"][:, 0] < 0.5
    assert 0 < flipped.sum() < 12
    for image, result, is_flipped in zip(as_images(images), out, flipped, strict=True):
        assert torch.equal(result, functional.vertical_flip(image) if is_flipped else image)
    out, uniforms = applied(images, resized_crop=0.2)
    boxes = crop_boxes(uniforms["resized_crop"], 0.2, (40, 36)).tolist()
    for image, result, box in zip(as_images(images), out, boxes, strict=True):
        expected = functional.resized_crop(image, *box, size=[40, 36], antialias=True)
        torch.testing.assert_close(result, expected, atol=0.02, rtol=0)


def test_saturation_and_hue_are_those_of_torchvision():
    images = pixels()
    plain = as_images(images) / 255
    for part, width, centre, function in (
        ("saturation", 0.8, 1, functional.adjust_saturation),
        ("hue", 0.5, 0, functional.adjust_hue),
    ):
        out, uniforms = applied(images, **{part: width})
        for image, result, change in zip(plain, out, factors(uniforms[part], width), strict=True):
            expected = function(image, centre + change) * 255
            torch.testing.assert_close(result, expected, atol=0.05, rtol=0)


@pytest.mark.parametrize("number", range(1, len(OPERATIONS)))
@pytest.mark.parametrize("channels", [1, 3])
def test_operations_of_trivial_augment_are_those_of_torchvision(number, channels):
    images, operation = as_images(pixels(2, channels=channels)), OPERATIONS[number]
    theirs = v2.TrivialAugmentWide()
    name, (strengths, is_signed) = list(theirs._AUGMENTATION_SPACE.items())[number]
    scale = MAX_SHIFT if name.startswith("Translate") else 1 / 255 if name == "Solarize" else 1
    expected_strengths = strengths(N_STRENGTHS, 40, 36)
    assert operation.is_signed == is_signed
    if expected_strengths is not None:
        expected = np.asarray(expected_strengths)
        np.testing.assert_allclose(operation.strengths * scale, expected, atol=1e-4)
    is_float = name in ("Brightness", "Color", "Contrast", "Sharpness", "AutoContrast")
    for level in (4, 17, 30):
        strength = operation.strengths[level] * (-1 if is_signed and level == 17 else 1)
        expected = theirs._apply_image_or_video_transform(
            images / 255 if is_float else images.byte(),
            name,
            strength * scale,
            InterpolationMode.NEAREST,
            {},
        )
        expected = expected * 255 if is_float else expected.float()
        out = operation.apply(images, torch.full((2,), strength, dtype=torch.float32))
        # Two sources can be equally near.
        assert ((out - expected).abs() <= 0.01).float().mean() > 0.995


def test_operations_strengths_and_signs_are_equally_likely():
    uniforms = np.random.default_rng(0).random((60_000, 4), dtype=np.float32)
    number, strength = choose(uniforms, 1.0)
    assert np.abs(np.bincount(number) * len(OPERATIONS) / 60_000 - 1).max() < 0.1
    assert (strength[number == 5] < 0).mean() == pytest.approx(0.5, abs=0.05)
    assert set(np.abs(strength[number == 5])) == set(OPERATIONS[5].strengths.astype(np.float32))
    number, _ = choose(uniforms, 0.25)
    assert (number > 0).mean() == pytest.approx(0.25 * 13 / 14, abs=0.01)


@given(st.integers(1, 60), st.integers(1, 60), st.floats(0.01, 1))
def test_crops_lie_inside_the_image_and_have_the_share_that_was_drawn(height, width, smallest):
    uniforms = np.random.default_rng(0).random((200, 4), dtype=np.float32)
    top, left, high, wide = crop_boxes(uniforms, smallest, (height, width)).T
    assert min(top.min(), left.min(), high.min() - 1, wide.min() - 1) >= 0
    assert (top + high).max() <= height
    assert (left + wide).max() <= width
    area = (smallest + uniforms[:, 0] * (1 - smallest)) * height * width
    assert (np.abs(high * wide - area) <= (high + wide) / 2 + 1).all()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 19), min_size=1, max_size=8), st.sampled_from([1, 3]))
def test_a_batch_gives_what_its_images_give_one_by_one(index, channels):
    images, recipe = pixels(20, 9, 7, channels), AugmentSection(**OLD | NEW)
    draws, rows = draw_augmentation(recipe, images.shape, 0, PLACE), np.array(index)
    batch = augment(images[index], draws.take(rows), recipe)
    alone = [augment(images[[i]], draws.take(np.array([i])), recipe)[0] for i in index]
    torch.testing.assert_close(batch, torch.stack(alone), atol=1e-2, rtol=0)
    assert batch.shape == (len(index), channels, 9, 7)
    assert batch.min() >= 0
    assert batch.max() <= 255


@pytest.mark.parametrize("draw", [draw_augmentation, draw_view])
def test_switching_a_part_on_or_off_leaves_the_draws_of_the_others(draw):
    place = PLACE if draw is draw_augmentation else 1
    before = draw(AugmentSection(**OLD), (50, 9, 7, 3), 0, place)
    every = draw(AugmentSection(**OLD | NEW), (50, 9, 7, 3), 0, place)
    assert before.uniforms == {}
    for name in ("shift", "flip", "angle", "brightness", "contrast", "erased"):
        assert np.array_equal(getattr(before, name), getattr(every, name))
    for part, width in NEW.items():
        alone = draw(AugmentSection(**OFF | {part: width}), (50, 9, 7, 3), 0, place)
        assert alone.uniforms.keys() == {part}
        assert np.array_equal(alone.uniforms[part], every.uniforms[part])
        assert not is_identity(AugmentSection(**OFF | {part: width}), 9, 7)
    columns = np.concatenate(list(every.uniforms.values()), axis=1).T
    assert np.abs(np.corrcoef(columns) - np.eye(len(columns))).max() < 0.5  # no two streams alike


def test_golden_uniforms():
    """Change only with the streams of these parts."""
    draws = draw_augmentation(AugmentSection(**OFF | NEW), (2, 9, 7, 3), 0, PLACE)
    first = {part: round(float(rows[0, 0]), 5) for part, rows in draws.uniforms.items()}
    assert first == {
        "vertical_flip": 0.36216,
        "resized_crop": 0.83086,
        "trivial_augment": 0.6662,
        "saturation": 0.32201,
        "hue": 0.64393,
    }


def test_grey_images_have_no_colours_to_change():
    images = pixels(channels=1)
    for part in ("saturation", "hue"):
        torch.testing.assert_close(applied(images, **{part: 0.4})[0], as_images(images))


@pytest.mark.parametrize("part", ["saturation", "hue", "trivial_augment"])
def test_other_bands_than_grey_and_rgb_are_refused(part):
    with pytest.raises(
        InputError, match=rf"augment\.{part} .*4 channels.*set augment\.{part} to 0"
    ):
        applied(pixels(channels=4), **{part: 0.4})


def test_mixing_is_not_a_change_of_single_images():
    assert is_identity(AugmentSection(**OFF | {"mixup": 0.2, "cutmix": 1.0}), 9, 7)


def test_rows_of_the_uniforms_go_with_their_images():
    draws = draw_augmentation(AugmentSection(**OLD | NEW), (50, 9, 7, 3), 0, PLACE)
    rows = draws.take(np.array([7, 3]))
    assert replace(rows, uniforms={}).flip.tolist() == draws.flip[[7, 3]].tolist()
    for part, values in draws.uniforms.items():
        assert np.array_equal(rows.uniforms[part], values[[7, 3]])
