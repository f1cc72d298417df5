import numpy as np
import pytest
from PIL import Image

from foldwise.core.errors import InputError
from foldwise.data.decode import decode_images
from foldwise.data.pixels import PixelSettings

NATIVE = PixelSettings()
SMALL = PixelSettings((4, 4))


def drawing(hidden, alpha):
    """Return an image that is black everywhere, and whose alpha draws."""
    pixels = np.full((8, 8, 4), hidden, dtype=np.uint8)
    pixels[..., 3] = alpha
    return Image.fromarray(pixels)


def test_drawings_that_differ_only_in_alpha_are_different_images(source_of, tmp_path):
    alphas = np.random.default_rng(0).integers(0, 256, (3, 8, 8))
    images = [drawing(0, alpha) for alpha in (*alphas, alphas[0])]
    decoded = decode_images(source_of(images), NATIVE, tmp_path / "x.npy")
    assert decoded.content_ids.tolist() == decoded.pixel_ids.tolist() == [0, 1, 2, 0]


def wide(edge):
    """Return an image of 24×8 pixels whose central square is always the same."""
    pixels = np.full((8, 24, 3), 90, dtype=np.uint8)
    pixels[:, :4] = edge
    return Image.fromarray(pixels)


def fine(level):
    """Return an image of 64×64 pixels that is the same at 4×4 pixels."""
    pixels = np.full((64, 64, 3), 90, dtype=np.uint8)
    pixels[5, 5] = level
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    ("images", "settings", "step"),
    [
        ([drawing(hidden, 0) for hidden in (0, 1, 2)], NATIVE, "transparency"),
        ([wide(edge) for edge in (0, 100, 200)], SMALL, "crop"),
        ([fine(level) for level in (90, 91, 92)], SMALL, "size"),
        (
            [Image.new("I;16", (4, 4), value) for value in (900, 901, 902)],
            PixelSettings(scale=(0, 800)),
            "scale",
        ),
    ],
)
@pytest.mark.parametrize("is_published", [False, True])
def test_different_images_of_equal_pixels_are_told_apart(
    source_of, tmp_path, images, settings, step, is_published
):
    noise = Image.effect_noise((64, 64), 90)
    other = noise.convert("RGB") if step != "scale" else Image.new("I;16", (4, 4), 7)
    other = other.crop((0, 0, *images[0].size)) if settings.size is None else other
    source = source_of([*images, images[1], other], is_published=is_published)
    decoded = decode_images(source, settings, tmp_path / "x.npy")
    assert decoded.pixel_ids.tolist() == [0, 0, 0, 0, 1]
    assert decoded.content_ids.tolist() == ([0, 0, 0, 0, 1] if is_published else [0, 1, 2, 1, 3])
    assert decoded.facts.same_pixels == ({} if is_published else {step: 2})


def test_class_whose_images_all_become_equal_is_an_error(source_of, tmp_path):
    source = source_of([wide(edge) for edge in (0, 100, 200)])
    message = r"all 3 different images of class 'cat' .*crop.*; set prepare.resize to pad"
    with pytest.raises(InputError, match=message):
        decode_images(source, SMALL, tmp_path / "x.npy")
