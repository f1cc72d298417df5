"""Read an image file as the model takes it. Needs only Pillow and NumPy, and model.json beside it.

    model = json.loads(pathlib.Path("model.json").read_text(encoding="utf-8"))
    images = read_image("photo.jpg", model["preparation"])[None]

It reads images of 8 bits per channel exactly as Foldwise does: upright, in RGB or grey, transparent
parts on the background, then cropped, padded or stretched, then resized (bilinear).
"""

from typing import Any

import numpy as np
from PIL import Image, ImageOps


def read_image(path: str, preparation: dict[str, Any]) -> np.ndarray:
    """Return (height, width, channels) uint8."""
    with Image.open(path) as file:
        is_deep = file.mode[0] in "IF" or ";16" in str(file.tile)  # bits that Pillow would cut
        image = ImageOps.exif_transpose(file)
    if is_deep or preparation["scale"] or preparation["channels"] not in (1, 3):
        raise ValueError(f"{path}: only 8 bits of grey or RGB are read here; use foldwise predict")
    image = image.convert("LA") if image.mode == "La" else image
    if image.mode != "L" or preparation["resize"] == "pad" or image.has_transparency_data:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode == "RGBA":
        ground = Image.new("RGBA", image.size, (*preparation["background"], 255))
        image = Image.alpha_composite(ground, image).convert("RGB")
    size = preparation["width"], preparation["height"]
    if not preparation["any_size"] and image.size != size:
        raise ValueError(f"{path} is {image.size}; the model takes {size}, in pixels")
    pixels = np.array(resize(image, size, preparation).convert("RGB"))  # a copy: torch may write
    if preparation["channels"] == 1 and (pixels[..., :1] != pixels).any():
        raise ValueError(f"{path} has colours; the model takes grey images")
    return pixels[..., : preparation["channels"]]


def resize(image: Image.Image, size: tuple[int, int], preparation: dict[str, Any]) -> Image.Image:
    """Return the image in the size (width, height)."""
    (width, height), kept = size, (float(image.width), float(image.height))
    if preparation["resize"] == "pad":
        factor = min(width / image.width, height / image.height)
        inner = max(1, round(image.width * factor)), max(1, round(image.height * factor))
        padded = Image.new("RGB", size, tuple(preparation["background"]))
        place = (width - inner[0]) // 2, (height - inner[1]) // 2
        padded.paste(image.resize(inner, Image.Resampling.BILINEAR), place)
        return padded
    if preparation["resize"] == "crop":
        kept = min(kept[0], kept[1] * width / height), min(kept[1], kept[0] * height / width)
    left, top = (image.width - kept[0]) / 2, (image.height - kept[1]) / 2
    box = left, top, left + kept[0], top + kept[1]
    return image.resize(size, Image.Resampling.BILINEAR, box=box)
