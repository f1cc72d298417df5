"""The images of a data set, batch by batch, on the device: no loader, no copies in between."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stages.augment.draws import Draws, draw
from stages.augment.transforms import BRIGHTEST, as_images, augment
from stages.contracts.pieces import pieces
from stages.contracts.recipe import Recipe
from stages.train.mapped import Rows

Place = tuple[int, int]

ROOM = 0.5  # of the free memory of a GPU, for the data set; the rest is for training


class Images:
    """Batches of a data set by index.

    On a GPU the whole uint8 array lives on the device if it fits; otherwise, as on the CPU, it
    stays mapped from its file and only what a batch touches is read.
    """

    def __init__(
        self, pixels: NDArray[np.uint8], mean: list[float], std: list[float], device: torch.device
    ) -> None:
        """Take the array and the normalisation of one fold.

        Args:
            pixels: (n, h, w, c), may be memory-mapped.
            mean: (c,) in units of 0 .. 1.
            std: (c,) likewise, above 0.
            device: Of the batches.
        """
        self._pixels = Rows(pixels)
        self.image_bytes = torch.float32.itemsize * pixels[0].size
        self._device = device
        self._resident = _on_device(pixels, device)
        self._mean = torch.tensor(mean, device=device).reshape(1, -1, 1, 1) * BRIGHTEST
        self._scale = 1 / (torch.tensor(std, device=device).reshape(1, -1, 1, 1) * BRIGHTEST)

    def plain(self, index: NDArray[np.int64]) -> Tensor:
        """Return images as they are, normalised: (b, c, h, w) float32, channels last in memory.

        Args:
            index: (b,) positions in the data set.
        """
        return self._normalise(as_images(self._take(index)))

    def augmented(self, index: NDArray[np.int64], draws: Draws, recipe: Recipe) -> Tensor:
        """Return images augmented, then normalised: (b, c, h, w) float32, channels last.

        Args:
            index: (b,) positions in the data set.
            draws: Of every image of the data set in this epoch.
            recipe: What may be drawn.
        """
        return self._normalise(augment(self._take(index), draws.take(index), recipe))

    def _take(self, index: NDArray[np.int64]) -> Tensor:
        if self._resident is None:
            return torch.from_numpy(self._pixels.take(index)).to(self._device)
        return self._resident[torch.from_numpy(index).to(self._device)]

    def _normalise(self, images: Tensor) -> Tensor:
        return (images - self._mean) * self._scale


class Views:
    """The images of one fold as its network gets them: each epoch another view of each."""

    def __init__(self, images: Images, recipe: Recipe, n: int, seed: int, place: Place) -> None:
        """Take what decides the views.

        Args:
            images: Of the data set, normalised for the fold.
            recipe: How training images are augmented.
            n: Images in the data set.
            seed: Of the data set.
            place: Repeat and fold.
        """
        self._images, self._recipe = images, recipe
        self.image_bytes = images.image_bytes
        self._n, self._seed, self._place = n, seed, place
        self._draws: tuple[int, Draws] | None = None  # of the epoch before

    def training(self, index: NDArray[np.int64], epoch: int) -> Tensor:
        """Return training images augmented: (b, c, h, w) float32, channels last in memory.

        Args:
            index: (b,) positions in the data set.
            epoch: Counted from 1.
        """
        if self._draws is None or self._draws[0] != epoch:
            place = (*self._place, epoch)
            self._draws = epoch, draw(self._recipe, self._n, self._seed, place)
        return self._images.augmented(index, self._draws[1], self._recipe)

    def plain(self, index: NDArray[np.int64]) -> Tensor:
        """Return images as they are: (b, c, h, w) float32, channels last in memory."""
        return self._images.plain(index)


def _on_device(pixels: NDArray[np.uint8], device: torch.device) -> Tensor | None:
    """Return the whole array on a GPU that has room for it; None elsewhere."""
    if device.type != "cuda" or pixels.nbytes > ROOM * torch.cuda.mem_get_info(device)[0]:
        return None
    resident = torch.empty(pixels.shape, dtype=torch.uint8, device=device)
    for part in pieces(len(pixels), pixels[0].nbytes):
        resident[part] = torch.from_numpy(np.array(pixels[part]))
    return resident
