"""Images are read for a prediction as prepare stored them; others are refused."""

import numpy as np
import pytest
import yaml
from PIL import Image

from foldwise.core.errors import InputError
from foldwise.files.dataset import read_dataset, read_samples
from foldwise.files.final import Preparation
from foldwise.files.params import read_params
from foldwise.ship.choice import describe_preparation
from foldwise.ship.predict import read_pixels
from foldwise.ship.read_image import read_image
from stages import prepare

EIGHT_BITS = {
    **{"height": 12, "width": 12, "channels": 3, "any_size": True, "resize": "crop"},
    **{"background": (255, 255, 255), "scale": None},
}


def kinds(folder, deep=False, colours=True):
    """Save an image of each kind in two class folders."""
    rng = np.random.default_rng(0)
    exif = Image.Exif()
    exif[274] = 6  # a quarter turn
    for label in "ab":
        (folder / label).mkdir(parents=True)
        for number in range(5):
            pixels = rng.integers(0, 256, (11, 17, 4), dtype=np.uint8)
            if deep:
                values = rng.integers(100, 4000, (17, 11)).astype(np.uint16)
                Image.fromarray(values).save(folder / label / f"deep{number}.png")
                continue
            grey = Image.fromarray(pixels[..., 0])
            grey.save(folder / label / f"grey{number}.png", transparency=int(pixels[3, 3, 0]))
            grey.save(folder / label / f"turned{number}.jpg", exif=exif)
            if colours:
                image = Image.fromarray(pixels)
                image.save(folder / label / f"rgba{number}.png", exif=exif)
                image.convert("RGB").quantize(9).save(folder / label / f"palette{number}.gif")
                image.convert("CMYK").save(folder / label / f"cmyk{number}.jpg")


@pytest.mark.parametrize(
    ("kind", "section"),
    [
        ({}, {"image_size": [12, 9], "resize": "crop"}),
        ({}, {"image_size": [9, 12], "resize": "pad", "background": [10, 200, 30]}),
        ({}, {"image_size": 10, "resize": "stretch", "background": "black"}),
        ({"colours": False}, {"image_size": 8}),
        ({"deep": True}, {"image_size": 8, "scale": "data"}),
        ({"deep": True}, {"image_size": "native", "scale": [0, 4095]}),
    ],
)
def test_pixels_are_those_of_prepare(kind, section, tmp_path):
    kinds(tmp_path / "raw", **kind)
    section |= {"dataset": "folder", "root": str(tmp_path / "raw"), "test_fraction": 0.2}
    section |= {"limit": None, "groups": None}
    params = tmp_path / "params.yaml"
    params.write_text(yaml.safe_dump({"seed": 1, "prepare": section}))
    prepare.main(["--params", str(params), "--output", str(tmp_path / "out")])
    dataset, samples = read_dataset(tmp_path / "out"), read_samples(tmp_path / "out")
    preparation = describe_preparation(read_params(params, "seed", "prepare"), dataset.info)
    assert preparation.channels == (3 if kind == {} else 1)
    for file, stored in zip(samples.files, dataset.images, strict=True):
        assert np.array_equal(read_pixels(tmp_path / "raw" / file, preparation).pixels, stored), (
            file
        )
        if "deep" not in kind:
            again = read_image(str(tmp_path / "raw" / file), preparation.model_dump())
            assert np.array_equal(again, stored), file


@pytest.mark.parametrize(
    ("array", "changes", "reason"),
    [
        (
            np.arange(432).reshape(12, 12, 3) % 250,
            {"channels": 1},
            "has colours; .* grey .*: convert",
        ),
        (np.zeros((12, 12), np.uint16), {}, "more than 8 bits .*: convert"),
        (np.zeros((12, 12)), {"scale": (0, 4095)}, "has 8 bits .* 0 .* 4095 .*: save"),
        (np.zeros((9, 12)), {"any_size": False}, "is 12×9 pixels; .* 12×12 only: resize"),
        (np.zeros((12, 12)), {"channels": 4}, "has colours or grey; .* 4 bands: convert"),
    ],
)
def test_an_image_that_prepare_would_refuse_is_unreadable(array, changes, reason, tmp_path):
    is_deep = array.dtype == np.uint16
    Image.fromarray(array if is_deep else array.astype(np.uint8)).save(tmp_path / "a.png")
    preparation = Preparation(**EIGHT_BITS | changes)
    with pytest.raises(InputError, match=reason):
        read_pixels(tmp_path / "a.png", preparation)
    with pytest.raises(ValueError, match=r"a\.png"):
        read_image(str(tmp_path / "a.png"), preparation.model_dump())
