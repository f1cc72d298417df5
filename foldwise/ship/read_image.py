"""Read an image file as the model takes it. Needs only Pillow and NumPy, and model.json beside it.

    images = read_image("photo.jpg", json.load(open("model.json"))["preparation"])[None]

It reads images of 8 bits per channel exactly as Foldwise does: upright, in RGB or grey, transparent
parts on the background, then cropped, padded or stretched, then resized (bilinear).
"""

from typing import Any

import numpy as np
from PIL import Image, ImageOps


def read_image(path: str, preparation: dict[str, Any]) -> np.ndarray:
    """Return (height, width, channels) uint8."""
    height, width = preparation["height"], preparation["width"]
    image = ImageOps.exif_transpose(Image.open(path))
    if image.mode != "L" or preparation["resize"] == "pad" or image.has_transparency_data:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode == "RGBA":
        ground = Image.new("RGBA", image.size, (*preparation["background"], 255))
        image = Image.alpha_composite(ground, image).convert("RGB")
    if not preparation["any_size"] and image.size != (width, height):
        raise ValueError(f"{path} is {image.width}x{image.height}, not {width}x{height} pixels")
    if preparation["resize"] == "pad":
        factor = min(width / image.width, height / image.height)
        inner = max(1, round(image.width * factor)), max(1, round(image.height * factor))
        padded = Image.new("RGB", (width, height), tuple(preparation["background"]))
        place = (width - inner[0]) // 2, (height - inner[1]) // 2
        padded.paste(image.resize(inner, Image.Resampling.BILINEAR), place)
        image = padded
    else:
        kept = image.width, image.height
        if preparation["resize"] == "crop":
            kept = min(kept[0], kept[1] * width / height), min(kept[1], kept[0] * height / width)
        left, top = (image.width - kept[0]) / 2, (image.height - kept[1]) / 2
        box = left, top, left + kept[0], top + kept[1]
        image = image.resize((width, height), Image.Resampling.BILINEAR, box=box)
    pixels = np.asarray(image.convert("RGB"))
    if preparation["channels"] == 1:
        if (pixels[..., :1] != pixels).any():
            raise ValueError(f"{path} has colours; the model takes grey images")
        pixels = pixels[..., :1]
    return pixels
