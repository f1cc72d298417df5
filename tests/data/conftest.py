import numpy as np
import pytest
from PIL import Image

from foldwise.data.sources import ImageSource


@pytest.fixture
def save(tmp_path):
    """Save images of random pixels below tmp_path/images, the same in every run."""
    rng = np.random.default_rng(0)

    def save(*names, size=(6, 5), mode="RGB"):
        for name in names:
            path = tmp_path / "images" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shape = size[::-1] if mode == "L" else (*size[::-1], 3)
            pixels = rng.integers(0, 256, shape, dtype=np.uint8)
            Image.fromarray(pixels).convert(mode).save(path)
        return tmp_path / "images"

    return save


@pytest.fixture
def source_of():
    """Make a source of images in memory."""

    def source_of(images, labels=None, is_test=None, classes=("cat", "dog"), **more):
        n = len(images)
        defaults = {
            "root": "root",
            "files": [f"{index}.png" for index in range(n)],
            "is_published": False,
        }
        return ImageSource(
            classes=list(classes),
            labels=np.array([0] * n if labels is None else labels, dtype=np.int64),
            is_test=np.array([False] * n if is_test is None else is_test, dtype=np.bool_),
            load=lambda index: images[index].copy(),
            **(defaults | more),
        )

    return source_of
