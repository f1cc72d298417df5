"""Recall of near-duplicates, with copies of images made on purpose, and pairs in clean images.

    python -m benchmarks.near_copies --data ../shared/data --folder data/copies

It prints the table of docs/data.md, and takes minutes on two cores.
"""

import argparse
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps
from PIL.Image import Resampling

from benchmarks.cases import races
from foldwise.core.errors import run_main
from foldwise.data.near_duplicates import find_near_duplicates
from foldwise.data.prepare import open_source

N, N_COPIED = 10_000, 200  # images, and images with one copy of each kind


def main() -> None:
    """Print one row per kind of copy, and the pairs among the images themselves."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.near_copies", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    args = parser.parse_args()
    for case in {case.title: case for case in races(args.data, args.folder)}.values():
        source = open_source(case.data, str(case.root))
        training = np.flatnonzero(~source.is_test)
        chosen = training[np.linspace(0, len(training) - 1, N, dtype=np.int64)]
        images = np.stack([_pixels(source.load(position)) for position in chosen.tolist()])
        pairs = find_near_duplicates(images, np.zeros(N, dtype=np.int64))
        print(f"| {case.title} | pairs without copies | {len(pairs)} |", flush=True)
        rng = np.random.default_rng(0)
        copied = rng.choice(N, N_COPIED, replace=False)
        for kind, copy in copies(rng).items():
            made = np.stack([_pixels(copy(_image(images[at]))) for at in copied])
            together = np.concatenate([images, made])
            labels = np.zeros(len(together), dtype=np.int64)
            pairs = find_near_duplicates(together, labels)
            found = {tuple(pair) for pair in pairs.tolist()}
            is_found = [
                (at, N + n) in found or np.array_equal(images[at], made[n])
                for n, at in enumerate(copied.tolist())
            ]
            print(f"| {case.title} | {kind} | {np.mean(is_found):.3f} |", flush=True)


def copies(rng: np.random.Generator) -> dict[str, Callable[[Image.Image], Image.Image]]:
    """Return the kinds of copies."""
    return {
        "JPEG, quality 90": lambda image: _as_jpeg(image, 90),
        "JPEG, quality 50": lambda image: _as_jpeg(image, 50),
        "JPEG, quality 30": lambda image: _as_jpeg(image, 30),
        "resized to 3/4 and back": lambda image: _resized(image, 0.75),
        "resized to 1/2 and back": lambda image: _resized(image, 0.5),
        "brightness × 1.3": lambda image: ImageEnhance.Brightness(image).enhance(1.3),
        "brightness × 0.7": lambda image: ImageEnhance.Brightness(image).enhance(0.7),
        "contrast × 1.3": lambda image: ImageEnhance.Contrast(image).enhance(1.3),
        "5 % cropped": lambda image: _cropped(image, 0.05, rng),
        "10 % cropped": lambda image: _cropped(image, 0.1, rng),
        "mirrored": ImageOps.mirror,
    }


def _image(pixels: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def _pixels(image: Image.Image | Path) -> NDArray[np.uint8]:
    pixels = np.asarray(Image.open(image) if isinstance(image, Path) else image)
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert(image.mode)


def _resized(image: Image.Image, factor: float) -> Image.Image:
    size = (round(image.width * factor), round(image.height * factor))
    return image.resize(size, Resampling.BICUBIC).resize(image.size, Resampling.BICUBIC)


def _cropped(image: Image.Image, share: float, rng: np.random.Generator) -> Image.Image:
    """Return an image without a share of its rows and columns, in its size again."""
    width, height = image.width * (1 - share), image.height * (1 - share)
    left, top = rng.uniform(0, image.width - width), rng.uniform(0, image.height - height)
    box = (left, top, left + width, top + height)
    return image.resize(image.size, Resampling.BICUBIC, box=box)


if __name__ == "__main__":
    run_main(main)
