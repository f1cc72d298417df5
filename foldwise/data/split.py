"""Stratified, grouped folds, and the normalisation that each of them fits."""

import math

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from foldwise.core.errors import InputError
from foldwise.core.machine import chunks
from foldwise.files.split import Normalisation

BRIGHTEST = 255


def assign_folds(
    labels: NDArray[np.int64], groups: NDArray[np.int64], n_folds: int, seed: int, repeat: int
) -> NDArray[np.int64]:
    """Give every image the fold in which it is validated.

    A group lies in one fold. Where every image is its own group, fold sizes differ by at most
    one, and so do the counts of each class. Renaming the classes or the groups changes nothing.
    Repeats are independent draws.

    Args:
        labels: (n,) class of each image.
        groups: (n,) group of each image.
        n_folds: k, from 2 to the number of groups of the rarest class.
        seed: Same seed, same folds, on every machine.
        repeat: Number of the repeat, from 0.

    Returns:
        (n,) fold of each image, 0 .. k - 1.
    """
    _, first, members = np.unique(groups, return_index=True, return_inverse=True)
    random_state = _random_state(seed, repeat)
    if np.array_equal(labels[first][members], labels):
        # Each group has one class, as duplicates do: balance the groups, exactly and fast
        # (StratifiedGroupKFold takes 7 s for 27,000 images). In the order in which they appear.
        order = np.argsort(first)
        chosen = labels[first[order]]
        exact = StratifiedKFold(n_folds, shuffle=True, random_state=random_state)
        fold = np.empty(len(first), dtype=np.int64)
        for number, (_, positions) in enumerate(exact.split(chosen, chosen)):
            fold[order[positions]] = number
        return fold[members]
    grouped = StratifiedGroupKFold(n_folds, shuffle=True, random_state=random_state)
    fold = np.empty(len(labels), dtype=np.int64)
    ordered = _by_appearance(labels), _by_appearance(groups)
    for number, (_, positions) in enumerate(grouped.split(labels, *ordered)):
        fold[positions] = number
    return fold


def require_enough(
    labels: NDArray[np.int64], groups: NDArray[np.int64], classes: list[str], n_folds: int
) -> None:
    """Check that every fold can have an image of every class.

    Raises:
        InputError: A line for each class with fewer groups than folds.
    """
    pairs = np.unique(np.stack([labels, groups]), axis=1)
    counts = np.bincount(pairs[0], minlength=len(classes))
    rare = [
        f"class '{classes[label]}' has {counts[label]} images or groups of images to train on, "
        f"fewer than the {n_folds} folds of params.yaml; take fewer folds or add images"
        for label in np.flatnonzero(counts < n_folds)
    ]
    if rare:
        raise InputError("\n".join(rare))


def _random_state(seed: int, repeat: int) -> int:
    sequence = np.random.SeedSequence(seed, spawn_key=(*b"split", repeat))
    return int(sequence.generate_state(1)[0])


def _by_appearance(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number values as they appear: sklearn breaks ties by the order of the numbers."""
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def fit_normalisation(
    images: NDArray[np.uint8], fold: NDArray[np.int64], n_folds: int
) -> Normalisation:
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
    for part in chunks(n, images.nbytes // n):
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
