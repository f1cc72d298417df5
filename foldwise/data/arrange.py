"""Arrange the images of a source: draw a subset, group, leave out, and hold out a test set."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from foldwise.core.errors import InputError, lines_by_reason
from foldwise.data.grouping import are_small, assign_groups, number_by_appearance
from foldwise.data.sources import ImageSource
from foldwise.files.dataset import Samples

REMEDY = "remove the wrong one"
GROUPS_LEFT = 5  # of each class for the folds, if a test set of whole groups allows it


def arrange(
    source: ImageSource,
    content_ids: NDArray[np.int64],
    together_ids: NDArray[np.int64],
    group_names: list[str] | None,
    test_fraction: float,
    seed: int,
) -> tuple[NDArray[np.intp], Samples]:
    """Leave out unusable images, group the others, and separate the test set.

    The official test set stays as published, so a training image that is also in it is left out.
    An image that was published under two labels is left out, because nobody knows which is right;
    in the user's own files it is an error. No group is in both parts.

    Args:
        source: The images.
        content_ids: (n,) equal ids mean equal images in the files.
        together_ids: (n,) equal ids mean images that share a group, because their prepared pixels
            are equal or because they are near-duplicates.
        group_names: (n,) the group that the user's pattern finds, or None.
        test_fraction: The share of groups to hold out if there is no official test set.
        seed: The seed of that draw.

    Returns:
        The positions in the source of the images of the data set, training part first, (m,), and
        the table of these images.

    Raises:
        InputError: If one of the user's images has two labels, or a named group is in both
            official parts.
    """
    used = _usable_images(source, content_ids)
    labels = source.labels[used]
    names = group_names and [group_names[position] for position in used]
    groups = join_groups(together_ids[used], names)
    if source.has_official_test:
        is_test = source.is_test[used]
        named = join_groups(content_ids[used], names)  # files with equal pixels may be in both
        shared = np.intersect1d(named[~is_test], named[is_test])  # only a name can connect them
        if len(shared):
            train, test = (used[(named == shared[0]) & part][0] for part in (~is_test, is_test))
            raise InputError(
                f"prepare.groups puts {source.files[train]} and {source.files[test]} into one "
                f"group, and {len(shared)} groups are in both train and test; move each to one part"
            )
    else:
        is_test = draw_test_set(labels, groups, source.classes, test_fraction, seed)
    order = np.argsort(is_test, kind="stable")  # training part first
    samples = Samples(
        files=[source.files[position] for position in used[order]],
        labels=labels[order],
        groups=number_by_appearance(groups[order]),
        is_test=is_test[order],
        weights=None if source.weights is None else source.weights[used[order]],
    )
    return used[order], samples


def draw_stratified(labels: NDArray[np.int64], n: int, seed: int, stream: str) -> NDArray[np.intp]:
    """Draw n samples so that each class keeps its share and has at least one.

    Shares are rounded by Webster's method, so classes of equal size differ by at most one. Neither
    class names nor the machine nor other streams change the draw.

    Args:
        labels: (m,) class of each sample.
        n: The number of samples to draw, from the number of classes to m.
        seed: The same seed draws the same samples.
        stream: The name of the random stream; streams of different names are independent.

    Returns:
        (n,) positions, ascending.
    """
    spawn_key = tuple(stream.encode())
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=spawn_key))
    shuffled = rng.permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    ends = np.cumsum(np.unique(labels, return_counts=True)[1])
    priority = np.empty(len(labels))  # lowest first
    for members in np.split(by_class, ends[:-1]):
        priority[members] = (np.arange(len(members)) + 0.5) / len(members)
        priority[members[0]] = 0.0
    return np.sort(np.argsort(priority, kind="stable")[:n])


def draw_subset(
    source: ImageSource, limit: int | None, test_fraction: float, seed: int
) -> NDArray[np.intp]:
    """Return the positions of a subset in which `limit` images remain for training.

    An official test set is kept whole. Otherwise, the subset also has the images that will be held
    out, at least one per class. A limit above the number of images, or None, takes all.

    Raises:
        InputError: If the limit is below the number of classes.
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
    if test_fraction == 0:
        n_held_out = 0
    n = limit if source.has_official_test else limit + n_held_out
    if n >= len(training):
        return np.arange(len(source.files))
    drawn = training[draw_stratified(source.labels[training], n, seed, "prepare.limit")]
    return np.concatenate([drawn, np.flatnonzero(source.is_test)])


def draw_test_set(
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    classes: list[str],
    test_fraction: float,
    seed: int,
) -> NDArray[np.bool_]:
    """Draw the images to hold out if there is no official test set.

    Whole groups are drawn. Groups of one class and few images, such as duplicates, are stratified,
    and every class is in both parts. Larger groups are drawn so that the test set has its share of
    images and of each class, as far as the groups allow.

    Args:
        labels: (n,) class of each image.
        groups: (n,) group of each image.
        classes: The names of the classes.
        test_fraction: The share of images to hold out; 0 holds out nothing.
        seed: The seed of the draw.

    Returns:
        (n,) whether the image is held out.

    Raises:
        InputError: If a class has fewer than two groups.
    """
    if test_fraction == 0:
        return np.zeros(len(labels), dtype=np.bool_)
    names, first = np.unique(groups, return_index=True)
    pairs = np.unique(np.stack([labels, groups]), axis=1)
    counts = np.bincount(pairs[0], minlength=len(classes))
    if counts.min() < 2:
        name = classes[int(counts.argmin())]
        raise InputError(
            f"class '{name}' has {counts.min()} different images or groups; expected at least 2, "
            "one of them to hold out; add images, remove the class, raise prepare.limit, or "
            "set prepare.test_fraction to 0"
        )
    if not are_small(labels, number_by_appearance(groups)):
        sequence = np.random.SeedSequence(seed, spawn_key=tuple(b"prepare.test_fraction"))
        shares, needed = [test_fraction, 1 - test_fraction], [1, GROUPS_LEFT]
        part = assign_groups(labels, groups, shares, needed, np.random.default_rng(sequence))
        return np.equal(part, 0)
    n = max(round(len(names) * test_fraction), len(np.unique(labels[first])))
    drawn = draw_stratified(labels[first], n, seed, "prepare.test_fraction")
    return np.isin(groups, names[drawn])


def join_groups(content_ids: NDArray[np.int64], names: list[str] | None) -> NDArray[np.int64]:
    """Give images the same group if a chain of equal pixels or equal names connects them.

    Args:
        content_ids: (n,) equal ids mean equal pixels.
        names: (n,) group that the user's pattern finds, or None.

    Returns:
        (n,) group, 0, 1, ... in order of first appearance.
    """
    if names is None:
        return number_by_appearance(content_ids)
    named = number_by_appearance(np.unique(names, return_inverse=True)[1])
    # A graph whose vertices are names and contents, and whose edges are the images.
    n_names, size = named.max() + 1, named.max() + content_ids.max() + 2
    edges = coo_array((np.ones(len(named)), (named, content_ids + n_names)), shape=(size, size))
    component = connected_components(edges, directed=False)[1]
    return number_by_appearance(component[named])


def _usable_images(source: ImageSource, content_ids: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the positions of all images that are not left out, ascending."""
    _, first, inverse = np.unique(content_ids, return_index=True, return_inverse=True)
    earlier = first[inverse]
    relabelled = np.flatnonzero(source.labels[earlier] != source.labels)
    if len(relabelled) and not source.is_published:
        names = [source.classes[label] for label in source.labels]
        files = [f"{source.root}/{file}" for file in source.files]
        same = "are the same image, labelled"
        raise InputError(
            lines_by_reason(
                (f"{files[i]} and {files[j]}", f"{same} '{names[i]}' and '{names[j]}'; {REMEDY}")
                for i, j in zip(earlier[relabelled], relabelled, strict=True)
            )
        )
    unusable = np.append(content_ids[relabelled], content_ids[source.is_test])
    return np.flatnonzero(source.is_test | ~np.isin(content_ids, unusable))
