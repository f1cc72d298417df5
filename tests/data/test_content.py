"""The digest of the content of an image."""

import numpy as np
import pytest
from PIL import Image

from foldwise.data import content
from foldwise.data.content import content_digest, original_content
from foldwise.data.decode import decode_images
from foldwise.data.originals import Original
from foldwise.data.pixels import PixelSettings

GREY = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 7), dtype=np.uint8))
COLOUR = Image.fromarray(np.random.default_rng(1).integers(0, 256, (9, 7, 3), dtype=np.uint8))
TURNED = COLOUR.transpose(Image.Transpose.ROTATE_90)


def digest(image):
    return content_digest(original_content(Original(image)))


def test_the_same_pixels_have_the_same_digest_in_every_mode_and_size(source_of, tmp_path):
    forms = [GREY, GREY.convert("RGB"), GREY.convert("P"), GREY.convert("RGBA"), GREY.convert("LA")]
    for settings in (PixelSettings(), PixelSettings((4, 4))):
        decoded = decode_images(source_of(forms), settings, tmp_path / "x.npy")
        assert len({*decoded.digests.tolist(), int.from_bytes(digest(GREY)[:8], "little")}) == 1
    pixels = np.asarray(GREY)[None, :, :, None]
    in_memory = decode_images(source_of([GREY], pixels=pixels), PixelSettings(), tmp_path / "x.npy")
    assert in_memory.digests[0] == decoded.digests[0]
    assert digest(COLOUR) == digest(COLOUR.convert("RGBA")) == digest(np.asarray(COLOUR))


def test_different_pixels_and_shapes_have_different_digests():
    changed = np.array(COLOUR)
    changed[8, 6, 2] ^= 1
    almost = np.array(GREY.convert("RGB"))
    almost[8, 6, 2] ^= 1
    wide = np.asarray(GREY).reshape(7, 9, 1)
    forms = [GREY, COLOUR, TURNED, changed, almost, wide, wide.astype(np.uint16)]
    assert len({digest(form) for form in forms}) == len(forms)


@pytest.mark.parametrize("image", [GREY, GREY.convert("RGB"), COLOUR])
def test_the_digest_does_not_depend_on_the_parts_in_which_an_image_is_read(monkeypatch, image):
    whole = digest(image)
    monkeypatch.setattr(content, "PART_BYTES", 50)
    assert digest(image) == digest(np.asarray(image).reshape(9, 7, -1)) == whole
