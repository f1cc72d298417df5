import numpy as np
import pytest
import torch

from foldwise.data.augment import draw_augmentation
from foldwise.engine.inputs import AugmentedImages, ImageBatches
from foldwise.files.params import AugmentSection

OFF = AugmentSection(shift=0, flip=0, rotation=0, erase=0, brightness=0, contrast=0)


@pytest.fixture
def pixels(tmp_path):
    """Return 20 colour images, mapped from a file as training maps them."""
    array = np.random.default_rng(0).integers(0, 256, (20, 5, 7, 3), dtype=np.uint8)
    np.save(tmp_path / "images.npy", array)
    return np.load(tmp_path / "images.npy", mmap_mode="r")


def test_images_are_normalised_by_channel(pixels):
    mean, std, index = [0.1, 0.5, 0.7], [0.2, 0.3, 0.9], np.array([4, 1, 1])
    batch = ImageBatches(pixels, mean, std, torch.device("cpu")).plain(index)
    expected = (pixels[index] / 255 - mean) / std
    np.testing.assert_allclose(batch.numpy(), expected.transpose(0, 3, 1, 2), atol=1e-5)
    assert batch.is_contiguous(memory_format=torch.channels_last)
    assert batch.dtype == torch.float32


def test_augmentation_that_is_off_gives_the_plain_images(pixels):
    images = ImageBatches(pixels, [0.5] * 3, [0.2] * 3, torch.device("cpu"))
    index = np.array([3, 0, 19])
    draws = draw_augmentation(OFF, pixels.shape, 0, (0, 0, 1))
    assert torch.equal(images.augmented(index, draws, OFF), images.plain(index))


def test_each_image_gets_its_own_draw(pixels):
    recipe = OFF.model_copy(update={"shift": 0.4, "flip": 0.5})
    images = ImageBatches(pixels, [0.5] * 3, [0.2] * 3, torch.device("cpu"))
    draws = draw_augmentation(recipe, pixels.shape, 0, (0, 0, 1))
    together = images.augmented(np.arange(20), draws, recipe)
    for position in range(20):
        alone = images.augmented(np.array([position]), draws, recipe)
        assert torch.equal(together[position], alone[0])


def test_views_of_an_epoch_are_those_that_are_drawn_for_it(pixels):
    recipe = OFF.model_copy(update={"shift": 0.4, "flip": 0.5})
    images = ImageBatches(pixels, [0.5] * 3, [0.2] * 3, torch.device("cpu"))
    views, index = AugmentedImages(images, recipe, pixels.shape, 5, (1, 2)), np.arange(20)
    for epoch in (1, 2, 1):
        expected = images.augmented(
            index, draw_augmentation(recipe, pixels.shape, 5, (1, 2, epoch)), recipe
        )
        assert torch.equal(views.training(index, epoch), expected)
    assert not torch.equal(views.training(index, 1), views.training(index, 2))
    assert torch.equal(views.plain(index), images.plain(index))
