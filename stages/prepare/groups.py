"""Images that must stay on one side of every split: equal ones, and those that share a name."""

import re

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from stages.contracts.command import InputError

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
