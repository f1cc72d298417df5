"""Stratified draws: which images to take, and which to hold out."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from foldwise.core.errors import InputError
from foldwise.data.source import ImageSource
from foldwise.files.dataset import Samples


def draw_stratified(labels: NDArray[np.int64], n: int, seed: int, stream: str) -> NDArray[np.intp]:
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
    source: ImageSource, limit: int | None, test_fraction: float, seed: int
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
    drawn = training[draw_stratified(source.labels[training], n, seed, "prepare.limit")]
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
    drawn = draw_stratified(labels[first], n, seed, "prepare.test_fraction")
    return np.isin(groups, names[drawn])


SHOWN = 5  # file names in an error


def group_names(files: list[str], pattern: str | None) -> list[str] | None:
    """Return what the pattern's group matches in each file name; None without a pattern.

    Raises:
        InputError: If the pattern matches nothing in some of the names.
    """
    if pattern is None:
        return None
    matches = [re.search(pattern, file) for file in files]
    names = [match and match[1] for match in matches]
    strangers = [file for file, name in zip(files, names, strict=True) if name is None]
    if strangers:
        raise InputError(
            f"prepare.groups is '{pattern}', which {len(strangers):,} of {len(files):,} file names "
            f"do not match, as {', '.join(strangers[:SHOWN])}; widen the pattern or rename them"
        )
    return [name for name in names if name is not None]


def join_groups(content: NDArray[np.int64], names: list[str] | None) -> NDArray[np.int64]:
    """Give images the same group if a chain of equal pixels or equal names links them.

    Args:
        content: (n,) equal numbers are equal pixels.
        names: (n,) group that the user named.

    Returns:
        (n,) group, 0, 1, ... in order of first appearance.
    """
    if names is None:
        return number(content)
    named = number(np.unique(names, return_inverse=True)[1])
    # A graph of names and contents in which every image is an edge.
    n_names, size = named.max() + 1, named.max() + content.max() + 2
    edges = coo_array((np.ones(len(named)), (named, content + n_names)), shape=(size, size))
    component = connected_components(edges, directed=False)[1]
    return number(component[named])


def number(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Replace values by 0, 1, ... in order of first appearance."""
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


@dataclass(frozen=True)
class Arrangement:
    """What becomes of the images of a source.

    Attributes:
        order: (m,) positions in the source of the images that are kept, training part first.
        samples: Of those, in that order.
        n_left_out: Training images left out: also in the official test set, or published under
            two labels.
        n_duplicates: Images among those kept that repeat an earlier one, pixel by pixel.
    """

    order: NDArray[np.intp]
    samples: Samples
    n_left_out: int
    n_duplicates: int


def arrange(
    source: ImageSource,
    content: NDArray[np.int64],
    names: list[str] | None,
    test_fraction: float,
    seed: int,
) -> Arrangement:
    """Leave out, group and part the images.

    A training image that lies in the official test set, too, is left out: the test set stays
    as published. So is one that was published under two labels, since nobody knows which is
    right; in the user's own files it is an error. No group lies in both parts.

    Args:
        source: The images.
        content: (n,) equal numbers are equal pixels.
        names: (n,) group that the user named, or None.
        test_fraction: Share of groups to hold out where there is no official test set.
        seed: Of the draw of these.

    Raises:
        InputError: If one image of the user's has two labels, or a named group lies in both
            official parts.
    """
    kept = _keep(source, content)
    labels = source.labels[kept]
    groups = join_groups(content[kept], names and [names[position] for position in kept])
    if source.has_official_test:
        is_test = source.is_test[kept]
        _refuse_shared_groups(source, kept, groups, is_test)
    else:
        is_test = draw_held_out(labels, groups, source.classes, test_fraction, seed)
    order = np.argsort(is_test, kind="stable")  # training part first
    samples = Samples(
        files=[source.files[position] for position in kept[order]],
        labels=labels[order],
        groups=number(groups[order]),
        is_test=is_test[order],
    )
    n_duplicates = len(kept) - len(np.unique(content[kept]))
    return Arrangement(kept[order], samples, len(content) - len(kept), n_duplicates)


def _keep(source: ImageSource, content: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the positions of all images but those that are left out, ascending."""
    _, first, inverse = np.unique(content, return_index=True, return_inverse=True)
    earlier = first[inverse]
    wrong = np.flatnonzero(source.labels[earlier] != source.labels)
    if len(wrong) and not source.is_published:
        raise InputError("\n".join(_contradiction(source, int(earlier[i]), int(i)) for i in wrong))
    unfit = np.append(content[wrong], content[source.is_test])
    return np.flatnonzero(source.is_test | ~np.isin(content, unfit))


def _contradiction(source: ImageSource, a: int, b: int) -> str:
    one, other = (source.classes[source.labels[position]] for position in (a, b))
    return (
        f"{source.root}/{source.files[a]} is labelled '{one}' and the same image "
        f"{source.root}/{source.files[b]} '{other}'; remove the wrong one"
    )


def _refuse_shared_groups(
    source: ImageSource,
    kept: NDArray[np.intp],
    groups: NDArray[np.int64],
    is_test: NDArray[np.bool_],
) -> None:
    """Training images equal to a test image are gone: what is shared now shares a name."""
    shared = np.intersect1d(groups[~is_test], groups[is_test])
    if len(shared):
        a, b = (kept[(groups == shared[0]) & part][0] for part in (~is_test, is_test))
        raise InputError(
            f"prepare.groups puts {source.files[a]} and {source.files[b]} into one group, and "
            f"{len(shared)} groups lie in train and in test; move each to one part"
        )
