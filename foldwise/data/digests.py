"""Digests of sets of images, by their pixels and labels."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from foldwise.core.machine import chunks
from foldwise.files.split import FoldDigests


def digest_folds(
    images: NDArray[np.uint8], labels: NDArray[np.int64], fold: NDArray[np.int64], n_folds: int
) -> FoldDigests:
    """Return digests of the images that train and that validate in each fold.

    Two sets of images have the same digest only if they hold the same pixels under the same
    labels. The order of the images changes nothing.

    Args:
        images: (n, h, w, c), may be memory-mapped.
        labels: (n,) class of each image.
        fold: (n,) fold in which each image is validated.
        n_folds: k.

    Returns:
        SHA-256 in hex, of the shape of an image and the sorted SHA-256 digests of the images.
    """
    digests = _digest_each(images, labels)
    shape = np.array(images.shape[1:], dtype="<i8").tobytes()

    def digest(members: NDArray[np.bool_]) -> str:
        return hashlib.sha256(shape + np.sort(digests[members]).tobytes()).hexdigest()

    return FoldDigests(
        train=[digest(fold != number) for number in range(n_folds)],
        validation=[digest(fold == number) for number in range(n_folds)],
    )


def digest_images(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> str:
    """Return the digest of all images and labels, as `digest_folds` returns that of a fold."""
    return digest_folds(images, labels, np.zeros(len(labels), dtype=np.int64), 1).validation[0]


def _digest_each(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> NDArray[np.bytes_]:
    """Return the SHA-256 of the label and the pixels of each image, (n,)."""
    digests = np.empty(len(images), dtype="S32")
    for part in chunks(len(images), images.nbytes // len(images)):
        pixels = images[part].reshape(part.stop - part.start, -1)  # (b, h * w * c)
        label_bytes = labels[part, None].astype("<i8").view(np.uint8)  # (b, 8)
        rows = np.concatenate([label_bytes, pixels], axis=1)
        digests[part] = [hashlib.sha256(row).digest() for row in rows]
    return digests
