"""Which decoded images are kept, in which order, group and part."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.contracts.command import InputError
from stages.contracts.dataset import Samples
from stages.prepare.draw import draw_held_out
from stages.prepare.groups import join_groups, number
from stages.prepare.source import Source


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
    source: Source,
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


def _keep(source: Source, content: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the positions of all images but those that are left out, ascending."""
    _, first, inverse = np.unique(content, return_index=True, return_inverse=True)
    earlier = first[inverse]
    wrong = np.flatnonzero(source.labels[earlier] != source.labels)
    if len(wrong) and not source.is_published:
        raise InputError("\n".join(_contradiction(source, int(earlier[i]), int(i)) for i in wrong))
    unfit = np.append(content[wrong], content[source.is_test])
    return np.flatnonzero(source.is_test | ~np.isin(content, unfit))


def _contradiction(source: Source, a: int, b: int) -> str:
    one, other = (source.classes[source.labels[position]] for position in (a, b))
    return (
        f"{source.root}/{source.files[a]} is labelled '{one}' and the same image "
        f"{source.root}/{source.files[b]} '{other}'; remove the wrong one"
    )


def _refuse_shared_groups(
    source: Source,
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
