"""Features in place of images, for a network whose first part never trains."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stages.contracts.features import Features
from stages.train.mapped import Rows

MAPS = 3  # dimensions of one image's maps, (h, w, c)


class FeatureViews:
    """Batches of features by index; each epoch takes the next view, in turn."""

    def __init__(self, features: Features, device: torch.device) -> None:
        """Take the arrays.

        Args:
            features: With at least one view; may be memory-mapped.
            device: Of the batches.
        """
        assert features.plain is not None
        self.image_bytes = features.plain[0].nbytes
        self._plain = Rows(features.plain)
        self._views = [Rows(view) for view in features.views]
        self._is_half = features.dtype == "bfloat16"
        self._device = device

    def training(self, index: NDArray[np.int64], epoch: int) -> Tensor:
        """Return features of augmented images: (b, ...), maps as (b, c, h, w) channels last.

        Args:
            index: (b,) positions in the data set.
            epoch: Counted from 1.
        """
        return self._take(self._views[(epoch - 1) % len(self._views)], index)

    def plain(self, index: NDArray[np.int64]) -> Tensor:
        """Return features of images as they are."""
        return self._take(self._plain, index)

    def _take(self, rows: Rows, index: NDArray[np.int64]) -> Tensor:
        taken = torch.from_numpy(rows.take(index))
        if self._is_half:
            taken = taken.view(torch.bfloat16)
        if taken.ndim == MAPS + 1:
            taken = taken.permute(0, 3, 1, 2)
        return taken.to(self._device)
