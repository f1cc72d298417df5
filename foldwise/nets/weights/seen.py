"""Which images of this comparison pretrained weights have seen."""

import numpy as np
from numpy.typing import NDArray

from foldwise.files.dataset import ImageDigests
from foldwise.nets.weights.checkpoint import WeightsError


def count_seen(seen: NDArray[np.uint64], images: ImageDigests) -> tuple[int, int]:
    """Return how many training images and how many test images have one of some digests."""
    return int(np.isin(images.train, seen).sum()), int(np.isin(images.test, seen).sum())


def require_unseen(seen: NDArray[np.uint64], images: ImageDigests) -> None:
    """Reject weights that have seen an image of this comparison.

    All training images count, because each of them validates a fold.

    Args:
        seen: Digests of all images that the weights have seen.
        images: Digests of the images of this comparison.

    Raises:
        WeightsError: With the numbers of images.
    """
    if any(count_seen(seen, images)):
        raise WeightsError(
            f"these weights {_text(seen, images)}; give weights that were trained on other images, "
            "or set allow_seen: true, which keeps this architecture out of the choice"
        )


def seen_caution(seen: NDArray[np.uint64], images: ImageDigests) -> list[str]:
    """Return that the architecture cannot be chosen, if its weights have seen images."""
    if not any(count_seen(seen, images)):
        return []
    return [f"its weights {_text(seen, images)}: it is kept out of the choice"]


def _text(seen: NDArray[np.uint64], images: ImageDigests) -> str:
    train, test = count_seen(seen, images)
    return (
        f"have seen {train:,} of the {len(images.train):,} images that train and validate here, "
        f"and {test:,} of the {len(images.test):,} test images"
    )
