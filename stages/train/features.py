"""Features in place of images, for a network whose first part never trains."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stages.contracts.features import Features

MAPS = 3  # dimensions of one image's maps, (h, w, c)


class FeatureViews:
    """Batches of features by index; each epoch takes the next view, in turn."""

    def __init__(self, features: Features, device: torch.device) -> None:
        """Take the arrays.

        Args:
            features: With at least one view; may be memory-mapped.
            device: Of the batches.
        """
        self._features = features
        self._device = device

    def training(self, index: NDArray[np.int64], epoch: int) -> Tensor:
        """Return features of augmented images: (b, ...), maps as (b, c, h, w) channels last.

        Args:
            index: (b,) positions in the data set.
            epoch: Counted from 1.
        """
        views = self._features.views
        return self._take(views[(epoch - 1) % len(views)], index)

    def plain(self, index: NDArray[np.int64]) -> Tensor:
        """Return features of images as they are."""
        assert self._features.plain is not None
        return self._take(self._features.plain, index)

    def _take(self, array: NDArray[np.generic], index: NDArray[np.int64]) -> Tensor:
        taken = torch.from_numpy(np.ascontiguousarray(array[index]))
        if self._features.dtype == "bfloat16":
            taken = taken.view(torch.bfloat16)
        if taken.ndim == MAPS + 1:
            taken = taken.permute(0, 3, 1, 2)
        return taken.to(self._device)
