"""Stratified draws: which images to take, and which to hold out."""

import numpy as np
from numpy.typing import NDArray

from stages.contracts.command import InputError
from stages.prepare.source import Source


def draw(labels: NDArray[np.int64], n: int, seed: int, stream: str) -> NDArray[np.intp]:
    """Draw n samples, each class by its share and at least one of each.

    Shares are rounded by Webster's method, so equal classes differ by at most one. A class's
    name, the machine and other streams change nothing.

    Args:
        labels: (m,) class of each sample.
        n: How many, from the number of classes to m.
        seed: Same seed, same samples.
        stream: Name of the draw; draws of different names are independent.

    Returns:
        (n,) positions, ascending.
    """
    words = tuple(stream.encode())
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=words))
    shuffled = rng.permutation(len(labels))
    turn = np.empty(len(labels))
    for label in np.unique(labels):
        members = shuffled[labels[shuffled] == label]
        turn[members] = (np.arange(len(members)) + 0.5) / len(members)
        turn[members[0]] = 0.0
    return np.sort(np.argsort(turn, kind="stable")[:n])


def draw_limited(
    source: Source, limit: int | None, test_fraction: float, seed: int
) -> NDArray[np.intp]:
    """Return the positions of the images to take so that `limit` remain for training.

    An official test set is kept whole. Without one, as many more are taken as will be held
    out, at least one a class. A limit above the number of images takes all.

    Raises:
        InputError: If there are more classes than images.
    """
    training = np.flatnonzero(~source.is_test)
    if limit is None:
        return np.arange(len(source.files))
    if limit < len(source.classes):
        raise InputError(
            f"prepare.limit is {limit}; expected at least the number of classes, "
            f"{len(source.classes)}, or null"
        )
    n_held_out = max(round(limit * test_fraction / (1 - test_fraction)), len(source.classes))
    n = limit if source.has_official_test else limit + n_held_out
    if n >= len(training):
        return np.arange(len(source.files))
    drawn = training[draw(source.labels[training], n, seed, "prepare.limit")]
    return np.concatenate([drawn, np.flatnonzero(source.is_test)])


def draw_held_out(
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    classes: list[str],
    test_fraction: float,
    seed: int,
) -> NDArray[np.bool_]:
    """Draw the images to hold out where there is no official test set.

    Whole groups are drawn, a share of them, by the class of their first image. So every class
    is in both parts unless groups hold several classes.

    Returns:
        (n,) whether the image is held out.

    Raises:
        InputError: If a class has a single group, or none.
    """
    names, first = np.unique(groups, return_index=True)
    pairs = np.unique(np.stack([labels, groups]), axis=1)
    counts = np.bincount(pairs[0], minlength=len(classes))
    if counts.min() < 2:
        name = classes[int(counts.argmin())]
        raise InputError(
            f"class '{name}' has {counts.min()} images or groups of images that differ, too few "
            "to hold one out; add images or remove the class"
        )
    n = max(round(len(names) * test_fraction), len(np.unique(labels[first])))
    drawn = draw(labels[first], n, seed, "prepare.test_fraction")
    return np.isin(groups, names[drawn])
