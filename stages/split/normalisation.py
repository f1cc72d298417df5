"""Mean and standard deviation of each fold's training part, exact to the last bit."""

import math

import numpy as np
from numpy.typing import NDArray

from stages.contracts.pieces import pieces
from stages.contracts.split import Normalisation

BRIGHTEST = 255


def normalise(images: NDArray[np.uint8], fold: NDArray[np.int64], n_folds: int) -> Normalisation:
    """Return mean and standard deviation (ddof 0) per fold and channel, in units of 0 .. 1.

    Only training images count: those of the other folds. Sums are of whole numbers, so
    neither order nor chunks nor the machine change a bit. A constant channel carries nothing;
    its standard deviation is given as 1, so that it becomes 0 and not 0 / 0.

    Args:
        images: (n, h, w, c), may be memory-mapped.
        fold: (n,) fold in which each image is validated.
        n_folds: k.
    """
    sums, squares = _sums(images)
    n_pixels = images.shape[1] * images.shape[2]
    means, stds = [], []
    for number in range(n_folds):
        training = fold != number
        total = [int(value) for value in sums[training].sum(axis=0)]
        square = [int(value) for value in squares[training].sum(axis=0)]
        n = int(training.sum()) * n_pixels
        means.append([value / (n * BRIGHTEST) for value in total])
        stds.append([_std(*channel, n) for channel in zip(total, square, strict=True)])
    return Normalisation(mean=means, std=stds)


def _sums(images: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the sum and the sum of squares of each image and channel, (n, c)."""
    n, n_channels = len(images), images.shape[3]
    sums = np.empty((n, n_channels), dtype=np.uint64)
    squares = np.empty_like(sums)
    for part in pieces(n, images.nbytes // n):
        sums[part] = _sum(images[part])
        squares[part] = _sum(np.square(images[part], dtype=np.uint16))  # 255² fits
    return sums, squares


def _sum(images: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.uint64]:
    """Return the sum of each image and channel, (n, c)."""
    # Over rows, then columns: over both at once, numpy takes eight times as long.
    columns: NDArray[np.uint64] = images.sum(axis=1, dtype=np.uint64)
    total: NDArray[np.uint64] = columns.sum(axis=1)
    return total


def _std(total: int, square: int, n: int) -> float:
    """Return √(E[x²] - E[x]²); Python's whole numbers cannot cancel or overflow."""
    variance = n * square - total * total  # × n²
    return math.sqrt(variance / (n * n)) / BRIGHTEST if variance else 1.0
