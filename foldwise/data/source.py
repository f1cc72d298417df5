"""What every source of images looks like, wherever they come from."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True)
class ImageSource:
    """Images that are known by name and label and not decoded yet.

    Attributes:
        root: Where the files lie, as the user wrote it; for messages.
        classes: Label i is classes[i].
        files: (n,) name of each image: a path below the root, or part and index.
        labels: (n,) class, 0 .. n_classes - 1.
        is_test: (n,) whether the image belongs to the official test set.
        is_published: Whether the files are others', so that the user cannot mend them.
        load: Opens image i; called by several threads at once.
    """

    root: str
    classes: list[str]
    files: list[str]
    labels: NDArray[np.int64]
    is_test: NDArray[np.bool_]
    is_published: bool
    load: Callable[[int], Image.Image]

    @property
    def has_official_test(self) -> bool:
        """Whether the data set says which images are for testing."""
        return bool(self.is_test.any())

    def take(self, positions: NDArray[np.intp]) -> "ImageSource":
        """Return the images at these positions only, in this order."""
        return replace(
            self,
            files=[self.files[position] for position in positions],
            labels=self.labels[positions],
            is_test=self.is_test[positions],
            load=lambda index: self.load(int(positions[index])),
        )
