"""The form of an image source, and scikit-learn's digits."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

DIGITS_MAX = 16  # a pixel of the digits counts the dark dots in a 4×4 block of the scan


@dataclass(frozen=True)
class ImageSource:
    """Images with names and labels that are not decoded yet.

    Attributes:
        root: The folder of the files as the user wrote it, for messages.
        classes: The names of the classes; label i is classes[i].
        files: (n,) name of each image: a path below the root, or part and index.
        labels: (n,) class, 0 .. n_classes - 1.
        is_test: (n,) whether the image belongs to the official test set.
        is_published: Whether this is a published data set, whose files the user cannot correct.
        load: Returns image i, or the path of its file. Several threads call it at the same time.
        pixels: (n, h, w, c) all images, if they are in memory.
        groups: (n,) name of the group of each image, if the source knows groups.
        weights: (n,) weight of each image, if the source knows weights.
        notes: How the files were understood, for the log.
    """

    root: str
    classes: list[str]
    files: list[str]
    labels: NDArray[np.int64]
    is_test: NDArray[np.bool_]
    is_published: bool
    load: Callable[[int], Image.Image | Path]
    pixels: NDArray[np.uint8] | None = None
    groups: list[str] | None = None
    weights: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = ()

    @property
    def has_official_test(self) -> bool:
        """Whether the data set comes with a test set."""
        return bool(self.is_test.any())

    def take(self, positions: NDArray[np.intp]) -> "ImageSource":
        """Return a source of only the images at these positions, in this order."""
        return replace(
            self,
            files=[self.files[position] for position in positions],
            labels=self.labels[positions],
            is_test=self.is_test[positions],
            load=lambda index: self.load(int(positions[index])),
            pixels=None if self.pixels is None else self.pixels[positions],
            groups=self.groups and [self.groups[position] for position in positions],
            weights=None if self.weights is None else self.weights[positions],
        )


def open_digits() -> ImageSource:
    """Return scikit-learn's 1,797 digits of 8×8 pixels, scaled from 0 .. 16 to 0 .. 255.

    They come with the package, so that no network is needed. They have no official test set.
    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998.
    """
    from sklearn.datasets import load_digits  # here: slow to import, and only digits need it

    digits = load_digits()
    pixels = np.round(digits.images * 255 / DIGITS_MAX).astype(np.uint8)  # (n, 8, 8)
    return ImageSource(
        root="digits",
        classes=[str(digit) for digit in range(10)],
        files=[f"{index:04d}" for index in range(len(pixels))],
        labels=digits.target.astype(np.int64),
        is_test=np.zeros(len(pixels), dtype=np.bool_),
        is_published=True,
        load=lambda index: Image.fromarray(pixels[index]),
        pixels=pixels[..., None],
    )
