"""Near-duplicates: re-encoded, resized, brightened, slightly cropped or mirrored copies.

Two images are near-duplicates if the differences of neighbouring pixels in their grey thumbnails
are almost proportional, also if up to 5 % of one image is cropped away. Brightness and contrast
cancel out. The cosine of a coarse thumbnail finds the pairs that are worth this comparison: every
image is compared with every other, as one product of matrices. The thresholds were chosen by the
measurements in docs/data.md, in which perceptual hashes of 64 bits found fewer copies.
"""

import hashlib
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from foldwise.core.machine import chunks

Floats: TypeAlias = NDArray[np.float32]
Thumbnails: TypeAlias = NDArray[np.float16]  # (n, h, w), grey
Pairs: TypeAlias = NDArray[np.int64]  # (m, 2) positions of images, the smaller first
Box: TypeAlias = tuple[tuple[float, float], tuple[float, float]]  # rows, columns; shares of a side

THUMBNAIL = 32  # pixels a side, at most
COARSE, FINE = 8, 12  # pixels a side, for the search and for the comparison
WHOLE: Box = ((0, 1), (0, 1))
SPANS = [(0.0, 0.95), (0.025, 0.975), (0.05, 1.0)]
CROPS: list[Box] = [*product(SPANS, SPANS)]

SIMILAR = 0.9  # cosine of the coarse thumbnails from which pairs are compared
MOST_SIMILAR = 10  # further pairs per image to compare, on average; the cosine rises beyond
WORTH_CROPPING = 0.3  # distance of uncropped images up to which crops are compared
ALIKE = 0.08  # distance up to which images are near-duplicates
# That distance is lower where all images look alike: this share of the distance to a neighbour.
# It is a distant one, and neighbours within this share of the median distance do not count, because
# all images may have many near-duplicates.
SHARE, NEIGHBOUR = 0.07, 20
SAMPLED = 2**24  # pairs from which both thresholds are estimated, at most


def find_near_duplicates(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Pairs:
    """Return the pairs of near-duplicates, most similar first.

    Of images with equal pixels, only the first one is compared with others. Mirrored copies count
    within a class only, because a mirrored image may mean something else (b and d).

    Args:
        images: (n, h, w, c), memory-mapped or not.
        labels: (n,) class of each image.
    """
    first = _first_of_equal(images)
    if len(first) < 2 or images.shape[1:3] == (1, 1):  # a single pixel has no neighbours
        return np.empty((0, 2), dtype=np.int64)
    thumbnails = np.concatenate(
        [_thumbnails(images[first[part]]) for part in _parts(images, first)]
    )
    similar, alike = _thresholds(_coarse(thumbnails), _fine(thumbnails))
    mirrored, labels = thumbnails[:, :, ::-1], labels[first]
    straight = _search(thumbnails, thumbnails, similar)
    flipped = _search(thumbnails, mirrored, similar)
    flipped = flipped[labels[flipped[:, 0]] == labels[flipped[:, 1]]]
    pairs = np.concatenate([straight, flipped])
    distances = np.append(
        _distances(thumbnails, thumbnails, straight), _distances(thumbnails, mirrored, flipped)
    )
    near = np.flatnonzero(distances <= alike)
    ordered = near[np.lexsort((*pairs[near].T[::-1], distances[near]))]
    _, earliest = np.unique(pairs[ordered], axis=0, return_index=True)
    near_pairs: Pairs = first[pairs[ordered[np.sort(earliest)]]]
    return near_pairs


def join_near_duplicates(ids: NDArray[np.int64], pairs: Pairs) -> NDArray[np.int64]:
    """Return equal ids for images that had equal ids or are connected by near-duplicates.

    Args:
        ids: (n,) equal ids mean that images belong together.
        pairs: (m, 2) positions of near-duplicates.
    """
    size = ids.max() + 1
    edges = coo_array((np.ones(len(pairs)), tuple(ids[pairs].T)), shape=(size, size))
    component = connected_components(edges, directed=False)[1]
    joined: NDArray[np.int64] = component.astype(np.int64)[ids]
    return joined


def _parts(images: NDArray[np.uint8], positions: NDArray[np.int64]) -> list[slice]:
    float32_bytes = 4
    return [*chunks(len(positions), images[0].size * float32_bytes)]


def _first_of_equal(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the positions of the images that equal no earlier one, ascending."""
    seen = {
        hashlib.sha256(images[at].tobytes()).digest(): at for at in reversed(range(len(images)))
    }
    return np.sort(np.fromiter(seen.values(), dtype=np.int64))


def _thumbnails(images: NDArray[np.uint8]) -> Thumbnails:
    """Return grey thumbnails, (n, h, w) with at most 32 rows and columns."""
    height, width = (min(side, THUMBNAIL) for side in images.shape[1:3])
    return _reduce(images.mean(axis=-1, dtype=np.float32), (height, width)).astype(np.float16)


def _reduce(images: Floats, size: tuple[int, int], box: Box = WHOLE) -> Floats:
    """Return a part of each image in another size; each pixel is the mean of the area below it."""
    rows, columns = (
        _area_weights(side, n, *span)
        for side, n, span in zip(images.shape[1:], size, box, strict=True)
    )
    return np.asarray(rows @ images @ columns.T, dtype=np.float32)


def _area_weights(side: int, n: int, start: float, end: float) -> Floats:
    """Return (n, side) weights that average the pixels below each of n equal parts of a span."""
    edges, pixels = np.linspace(start * side, end * side, n + 1), np.arange(side)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights = np.clip(overlap, 0, None)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)


def _coarse(thumbnails: Thumbnails) -> Floats:
    """Return the thumbnails in 8×8 pixels without their mean, as unit vectors."""
    size = (COARSE, COARSE)
    vectors = [
        _reduce(thumbnails[part].astype(np.float32), size).reshape(-1, COARSE * COARSE)
        for part in chunks(len(thumbnails), thumbnails[0].nbytes)
    ]
    return np.concatenate([_unit(each - each.mean(axis=1, keepdims=True)) for each in vectors])


def _fine(thumbnails: Thumbnails, box: Box = WHOLE) -> Floats:
    """Return the differences of neighbouring pixels in 12×12 thumbnails, as unit vectors."""
    height, width = (min(side, FINE) for side in thumbnails.shape[1:])
    vectors = []
    for part in chunks(len(thumbnails), thumbnails[0].nbytes):
        reduced = _reduce(thumbnails[part].astype(np.float32), (height, width), box)
        steps = [np.diff(reduced, axis=axis).reshape(len(reduced), -1) for axis in (1, 2)]
        vectors.append(_unit(np.concatenate(steps, axis=1)))
    return np.concatenate(vectors)


def _unit(vectors: Floats) -> Floats:
    """Return vectors of length 1; those of blank images stay almost 0, so they resemble none."""
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    units: Floats = vectors / np.maximum(length, 1)[:, None]  # grey levels
    return units


def _thresholds(coarse: Floats, fine: Floats) -> tuple[float, float]:
    """Return the cosine from which to compare, and the distance up to which images are alike."""
    n = len(coarse)
    sample = np.linspace(0, n - 1, min(n, 512, max(32, SAMPLED // n)), dtype=np.int64)
    distances = np.sort(1 - fine[sample] @ fine.T, axis=1)
    n_copies = np.sum(distances <= SHARE * np.median(distances), axis=1)  # each also of itself
    neighbour = np.minimum(n_copies + NEIGHBOUR, n) - 1
    alike = min(ALIKE, SHARE * float(np.median(distances[np.arange(len(sample)), neighbour])))
    n_alike = int(np.sum(distances <= alike))
    cosines = (coarse[sample] @ coarse.T).ravel()
    n_compared = min(n_alike + len(sample) * MOST_SIMILAR, len(cosines))
    similar = np.partition(cosines, -n_compared)[-n_compared]
    return max(SIMILAR, float(similar)), alike


def _search(thumbnails: Thumbnails, others: Thumbnails, similar: float) -> Pairs:
    """Return the pairs (i, j), i < j, of thumbnails[i] and others[j] that are worth comparing."""
    vectors, other_vectors, pairs = _coarse(thumbnails), _coarse(others), []
    for rows in chunks(len(vectors), len(vectors) * vectors.itemsize):
        cosines = vectors[rows] @ other_vectors[rows.start :].T
        row, column = np.divmod(np.flatnonzero(cosines > similar), cosines.shape[1])
        pairs.append(np.stack([row, column], axis=1)[row < column] + rows.start)
    first, second = np.concatenate(pairs).T
    is_close = _cosines(_fine(thumbnails), first, _fine(others), second) > 1 - WORTH_CROPPING
    return np.stack([first, second], axis=1)[is_close]


def _distances(thumbnails: Thumbnails, others: Thumbnails, pairs: Pairs) -> Floats:
    """Return 1 − cosine of thumbnails[i] and others[j], the smallest over the crops of either."""
    if len(pairs) == 0:
        return np.empty(0, np.float32)
    used, (first, second) = np.unique(pairs), pairs.T
    first, second = np.searchsorted(used, first), np.searchsorted(used, second)
    thumbnails, others = thumbnails[used], others[used]
    fine, other_fine = _fine(thumbnails), _fine(others)
    closest = _cosines(fine, first, other_fine, second)
    for box in CROPS:
        closest = np.maximum(closest, _cosines(_fine(thumbnails, box), first, other_fine, second))
        closest = np.maximum(closest, _cosines(fine, first, _fine(others, box), second))
    return 1 - closest


def _cosines(
    vectors: Floats, at: NDArray[np.int64], others: Floats, others_at: NDArray[np.int64]
) -> Floats:
    parts = chunks(len(at), vectors[0].nbytes)
    cosines = [np.einsum("ij,ij->i", vectors[at[p]], others[others_at[p]]) for p in parts]
    return np.concatenate([np.empty(0, np.float32), *cosines])
