"""Split a data set into stratified, grouped folds, each with its normalisation and digests."""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from foldwise.core.errors import InputError
from foldwise.core.machine import chunks
from foldwise.data.digests import digest_folds
from foldwise.data.grouping import are_small, assign_groups, number_by_appearance
from foldwise.files.dataset import PIXEL_MAX, Dataset
from foldwise.files.split import HELD_OUT, Normalisation, Split

MAX_LISTED = 3  # classes that a fold lacks, in a line


def split_dataset(
    dataset: Dataset, groups: NDArray[np.int64], n_folds: int, repeat: int = 0
) -> Split:
    """Return the folds of one repeat, with the normalisation and the digests of each fold.

    Test images, which come last, are in no fold: they change neither normalisation nor digests.

    >>> import numpy as np
    >>> from foldwise.data import dataset_from_arrays
    >>> images = np.zeros((6, 8, 8, 1), dtype=np.uint8)
    >>> dataset = dataset_from_arrays(images, np.array([0, 1, 0, 1, 0, 1]), ["cat", "dog"])
    >>> split = split_dataset(dataset, groups=np.arange(6), n_folds=3)
    >>> np.bincount(split.fold).tolist()
    [2, 2, 2]

    Args:
        dataset: The images and their labels; its seed gives the folds.
        groups: (n,) group of each image; each group stays in one fold. For example, the
            patient, or np.arange(n) if every image is its own group.
        n_folds: k, at least 2.
        repeat: The number of the repeat, from 0.

    Raises:
        InputError: If groups are no numbers, or a class has fewer groups than there are folds.
    """
    info, n = dataset.info, dataset.info.n_train
    groups = np.asarray(groups)
    if groups.ndim != 1 or len(groups) < n or groups.dtype.kind not in "iu":
        raise InputError(
            f"groups is {groups.dtype} of shape {groups.shape}; expected whole numbers, one for "
            f"each of {n} images: names become these with np.unique(groups, return_inverse=True)[1]"
        )
    images, labels = dataset.images[:n], dataset.labels[:n]
    require_enough(labels, groups[:n], info.classes, n_folds)
    fold = assign_folds(labels, groups[:n], n_folds, info.seed, repeat)
    normalisation = fit_normalisation(images, fold, n_folds)
    digests = digest_folds(images, labels, fold, n_folds)
    padded = np.pad(fold, (0, info.n_test), constant_values=HELD_OUT)
    return Split(padded, normalisation, digests)


def assign_folds(
    labels: NDArray[np.int64], groups: NDArray[np.int64], n_folds: int, seed: int, repeat: int
) -> NDArray[np.int64]:
    """Assign each image to the fold in which it is validated.

    A group is in one fold. If every image is its own group, fold sizes differ by at most one, and
    so do the counts of each class. Larger groups are assigned so that each fold has its share of
    images and of each class, as far as the groups allow. Renaming the classes or the groups
    changes nothing. Repeats are independent draws.

    Args:
        labels: (n,) class of each image.
        groups: (n,) group of each image.
        n_folds: k, from 2 to the number of groups of the rarest class.
        seed: The same seed gives the same folds on every machine.
        repeat: The number of the repeat, from 0.

    Returns:
        (n,) fold of each image, 0 .. k - 1.
    """
    random_state = _random_state(seed, repeat)
    groups = number_by_appearance(groups)
    if not are_small(labels, groups):
        rng = np.random.default_rng(random_state)
        return assign_groups(labels, groups, [1 / n_folds] * n_folds, [1] * n_folds, rng)
    group_labels = labels[np.unique(groups, return_index=True)[1]]
    stratified = StratifiedKFold(n_folds, shuffle=True, random_state=random_state)
    splits = stratified.split(group_labels, group_labels)
    return _validation_folds(splits, len(group_labels))[groups]


def describe_folds(split: Split, dataset: Dataset, groups: NDArray[np.int64]) -> str:
    """Return the sizes of the folds, the number of groups, and classes that a fold lacks.

    Args:
        split: The folds.
        dataset: Its images.
        groups: (n,) group of each image.
    """
    n, info = dataset.info.n_train, dataset.info
    fold, labels = split.fold[:n], dataset.labels[:n]
    sizes, n_groups = np.bincount(fold), len(np.unique(groups[:n]))
    span = (
        f"{sizes.min():,}" if sizes.min() == sizes.max() else f"{sizes.min():,} to {sizes.max():,}"
    )
    counts = np.zeros((split.n_folds, len(info.classes)), dtype=np.int64)
    np.add.at(counts, (fold, labels), 1)
    lacking = [f"fold {f} has no image of {info.classes[c]!r}" for f, c in np.argwhere(counts == 0)]
    more = [f"and {len(lacking) - MAX_LISTED} more such"] if len(lacking) > MAX_LISTED else []
    in_groups = f" in {n_groups:,} groups" if n_groups < n else ""
    sentence = f"{n:,} images{in_groups} in {split.n_folds} folds of {span}"
    return "; ".join([sentence, *lacking[:MAX_LISTED], *more])


def require_enough(
    labels: NDArray[np.int64], groups: NDArray[np.int64], classes: list[str], n_folds: int
) -> None:
    """Check that every fold can have an image of every class.

    Raises:
        InputError: One line for each class that has fewer groups than there are folds.
    """
    pairs = np.unique(np.stack([labels, groups]), axis=1)
    counts = np.bincount(pairs[0], minlength=len(classes))
    errors = [
        f"class '{classes[label]}' has {counts[label]} images or groups of images to train on, "
        f"fewer than the {n_folds} folds of params.yaml; use fewer folds, add images, raise "
        "prepare.limit, or lower prepare.test_fraction"
        for label in np.flatnonzero(counts < n_folds)
    ]
    if errors:
        raise InputError("\n".join(errors))


def fit_normalisation(
    images: NDArray[np.uint8], fold: NDArray[np.int64], n_folds: int
) -> Normalisation:
    """Return mean and standard deviation (ddof 0) per fold and channel, in units of 0 .. 1.

    They are fitted to the training images of each fold only. Sums are whole numbers, so neither
    the order of the images nor the chunks nor the machine change a bit. The standard deviation of
    a constant channel is set to 1, so that normalising gives 0 instead of 0 / 0.

    Args:
        images: (n, h, w, c), may be memory-mapped.
        fold: (n,) fold in which each image is validated.
        n_folds: k.
    """
    sums, squares = _sums_per_image(images)
    n_pixels = images.shape[1] * images.shape[2]
    means, stds = [], []
    for number in range(n_folds):
        training = fold != number
        totals = sums[training].sum(axis=0).tolist()
        square_totals = squares[training].sum(axis=0).tolist()
        n = int(training.sum()) * n_pixels
        means.append([total / (n * PIXEL_MAX) for total in totals])
        stds.append([_std(*pair, n) for pair in zip(totals, square_totals, strict=True)])
    return Normalisation(mean=means, std=stds)


def _random_state(seed: int, repeat: int) -> int:
    sequence = np.random.SeedSequence(seed, spawn_key=(*b"split", repeat))
    return int(sequence.generate_state(1)[0])


def _validation_folds(
    splits: Iterable[tuple[NDArray[np.intp], NDArray[np.intp]]], n: int
) -> NDArray[np.int64]:
    fold = np.empty(n, dtype=np.int64)
    for number, (_, validation) in enumerate(splits):
        fold[validation] = number
    return fold


def _sums_per_image(images: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the sum and the sum of squares of each image and channel, both (n, c)."""
    sums = np.empty((len(images), images.shape[3]), dtype=np.uint64)
    squares = np.empty_like(sums)
    for part in chunks(len(images), images.nbytes // len(images)):
        square = np.square(images[part], dtype=np.uint16)  # 255² fits
        # Over rows, then columns: over both at once, numpy takes eight times as long.
        sums[part] = images[part].sum(axis=1, dtype=np.uint64).sum(axis=1)
        squares[part] = square.sum(axis=1, dtype=np.uint64).sum(axis=1)
    return sums, squares


def _std(total: int, square_total: int, n: int) -> float:
    """Return √(E[x²] - E[x]²); Python's integers neither cancel nor overflow."""
    variance = n * square_total - total * total  # × n²
    return math.sqrt(variance / (n * n)) / PIXEL_MAX if variance else 1.0
