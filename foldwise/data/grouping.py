"""Assign whole groups of images to parts, so that each part has its share of every class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SMALL_GROUP = 4  # images, such as duplicates; larger groups are balanced by their images
MAX_DRAWS = 4  # of which the best is taken
MAX_PLACED = 10_000  # groups that are placed in all draws together: about a second
GOOD = 1e-5  # a cost that needs no improvement: parts differ by .3 % of the images
MAX_PARTNERS = 60  # groups with which a group may change places
MAX_PASSES = 10
MISSING = 1000.0  # cost of a class that a part lacks; the imbalance costs far less

Floats = NDArray[np.float64]


def are_small(labels: NDArray[np.int64], groups: NDArray[np.int64]) -> bool:
    """Return whether every group has a single class and few images, as duplicates do.

    Args:
        labels: (n,) class of each image.
        groups: (n,) group of each image, 0, 1, ...
    """
    first = np.unique(groups, return_index=True)[1]
    is_pure = np.array_equal(labels[first][groups], labels)
    return is_pure and int(np.bincount(groups).max()) <= SMALL_GROUP


def assign_groups(
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    shares: list[float],
    n_needed: list[int],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Assign each group to one part, so that parts have their share of images and of each class.

    Several draws place the groups in random order, larger ones first, each where it is needed
    most, and then move and exchange groups as long as that helps. The best draw is taken.

    Args:
        labels: (n,) class of each image.
        groups: (n,) group of each image.
        shares: (p,) share of the images that each part shall have; their sum is 1.
        n_needed: (p,) number of groups of each class that each part needs, if there are enough.
        rng: Draws the order.

    Returns:
        (n,) part of each image, 0 .. p - 1.
    """
    # Numbers by appearance: neither the names of groups nor those of classes change the draw.
    group_of, class_of = number_by_appearance(groups), number_by_appearance(labels)
    counts = np.zeros((group_of.max() + 1, class_of.max() + 1))
    np.add.at(counts, (group_of, class_of), 1)
    search = _Search(counts, np.array(shares), np.array(n_needed))
    n_draws = int(np.clip(MAX_PLACED // len(counts), 1, MAX_DRAWS))
    best = search.draw(rng)
    for _ in range(n_draws - 1):
        if search.total_cost(best) <= GOOD:
            break
        best = min(best, search.draw(rng), key=search.total_cost)
    return best[group_of]


@dataclass
class _Search:
    """The search for an assignment.

    Attributes:
        counts: (g, c) images of each class in each group.
        shares: (p,) share that each part shall have.
        n_needed: (p,) groups of each class that each part needs.
    """

    counts: Floats
    shares: Floats
    n_needed: NDArray[np.int64]

    def __post_init__(self) -> None:
        n_classes = self.counts.shape[1]
        totals = self.counts.sum(axis=0)
        sizes = self.counts.sum(axis=1, keepdims=True)
        # A row per group: shares of each class and of all images, then which classes it has.
        self._rows = np.hstack([self.counts / totals, sizes / sizes.sum(), self.counts > 0])
        self._weights = np.append(np.full(n_classes, 1 / n_classes), 1.0)
        n_groups = (self.counts > 0).sum(axis=0)
        others = self.n_needed.sum() - self.n_needed
        enough = np.maximum(n_groups - others.min(), 1)
        self._needed = np.minimum(self.n_needed[:, None], enough)

    def draw(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return the part of each group, (g,)."""
        part = np.full(len(self._rows), -1)
        sums = np.zeros((len(self.shares), self._rows.shape[1]))
        every = np.arange(len(self.shares))
        size = self.counts.sum(axis=1) * rng.uniform(0.5, 1.0, len(part))
        for group in np.argsort(-size, kind="stable"):
            row = self._rows[group]
            gain = self._cost(sums + row, every) - self._cost(sums, every)
            part[group] = rng.choice(np.flatnonzero(gain <= gain.min() + 1e-12))
            sums[part[group]] += row
        for _ in range(MAX_PASSES):
            if self.total_cost(part) <= GOOD or not self._improve(part, sums, rng):
                break
        return part

    def total_cost(self, part: NDArray[np.int64]) -> float:
        """Return the cost of an assignment, rounded so that sums in another order are equal."""
        sums = np.stack([self._rows[part == p].sum(axis=0) for p in range(len(self.shares))])
        return round(float(self._cost(sums, np.arange(len(sums))).sum()), 9)

    def _cost(self, sums: Floats, parts: NDArray[np.int64]) -> Floats:
        """Return the cost of parts with these sums of rows, (..., k), as (...)."""
        n_classes = self.counts.shape[1]
        deviations = sums[..., : n_classes + 1] - self.shares[parts][..., None]
        missing = np.maximum(self._needed[parts] - sums[..., n_classes + 1 :], 0)
        cost: Floats = (self._weights * deviations**2).sum(-1) + MISSING * missing.sum(-1)
        return cost

    def _improve(self, part: NDArray[np.int64], sums: Floats, rng: np.random.Generator) -> bool:
        """Move each group to a better part, or exchange it, in place; return whether any was."""
        improved = False
        for group in rng.permutation(len(part)):
            partners = rng.permutation(len(part))[:MAX_PARTNERS]
            partners = partners[part[partners] != part[group]]
            # Exchange with a partner, or with nothing: a move.
            elsewhere = np.flatnonzero(np.arange(len(self.shares)) != part[group])
            others = np.concatenate([part[partners], elsewhere])
            back = np.vstack([self._rows[partners], np.zeros((len(elsewhere), sums.shape[1]))])
            change = back - self._rows[group]
            here = part[group]
            before = self._cost(sums, np.arange(len(sums)))
            after = self._cost(sums[here] + change, np.full(len(others), here))
            after += self._cost(sums[others] - change, others)
            gains = before[here] + before[others] - after
            best = int(gains.argmax())
            if gains[best] <= 1e-9:
                continue
            improved = True
            sums[here] += change[best]
            sums[others[best]] -= change[best]
            part[group] = others[best]
            if best < len(partners):
                part[partners[best]] = here
        return improved


def number_by_appearance(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Replace values by 0, 1, ... in order of first appearance."""
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]
