"""Rows of an array that may be larger than memory, in any order."""

import mmap

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from foldwise.core.machine import chunks
from foldwise.data.augment import (
    PIXEL_MAX,
    AugmentationDraws,
    as_images,
    augment,
    draw_augmentation,
)
from foldwise.files.features import Features
from foldwise.files.split import Recipe

LARGE = 2**30  # bytes; what is smaller stays in memory once it was read


class MappedRows:
    """Rows by index; of a large mapped array, each is read from its file as a whole, and no more.

    Left to itself Linux reads up to read_ahead_kb around each page that is missing. Random images
    of 147 KiB, of 15 GB in 1 GB of memory: 51 times what is wanted and 18 ms an image, asked for
    in advance 1.03 times and 0.4 ms. Sorting the images of a batch changed neither.
    """

    def __init__(self, array: NDArray[np.generic]) -> None:
        """Take the array.

        Args:
            array: (n, ...), contiguous; np.load may have mapped it.
        """
        self._array = array
        # np.memmap has no public name for its mapping.
        file: mmap.mmap | None = getattr(array, "_mmap", None)
        self._file = file if array.nbytes > LARGE else None

    def take(self, index: NDArray[np.int64]) -> NDArray[np.generic]:
        """Return a copy of some rows, (b, ...)."""
        if self._file is not None:
            self._announce(self._file, index)
        return np.ascontiguousarray(self._array[index])

    def _announce(self, file: mmap.mmap, index: NDArray[np.int64]) -> None:
        size = self._array[0].nbytes
        first = len(file) - self._array.nbytes  # behind the header
        for start in first + size * index:
            page = int(start) // mmap.PAGESIZE * mmap.PAGESIZE
            file.madvise(mmap.MADV_WILLNEED, page, int(start) + size - page)


Place = tuple[int, int]

ROOM = 0.5  # of the free memory of a GPU, for the data set; the rest is for training


class ImageBatches:
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
        self._pixels = MappedRows(pixels)
        self.image_bytes = torch.float32.itemsize * pixels[0].size
        self._device = device
        self._resident = _on_device(pixels, device)
        self._mean = torch.tensor(mean, device=device).reshape(1, -1, 1, 1) * PIXEL_MAX
        self._scale = 1 / (torch.tensor(std, device=device).reshape(1, -1, 1, 1) * PIXEL_MAX)

    def plain(self, index: NDArray[np.int64]) -> Tensor:
        """Return images as they are, normalised: (b, c, h, w) float32, channels last in memory.

        Args:
            index: (b,) positions in the data set.
        """
        return self._normalise(as_images(self._take(index)))

    def augmented(
        self, index: NDArray[np.int64], draws: AugmentationDraws, recipe: Recipe
    ) -> Tensor:
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


class AugmentedImages:
    """The images of one fold as its network gets them: each epoch another view of each."""

    def __init__(
        self, images: ImageBatches, recipe: Recipe, n: int, seed: int, place: Place
    ) -> None:
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
        self._draws: tuple[int, AugmentationDraws] | None = None  # of the epoch before

    def training(self, index: NDArray[np.int64], epoch: int) -> Tensor:
        """Return training images augmented: (b, c, h, w) float32, channels last in memory.

        Args:
            index: (b,) positions in the data set.
            epoch: Counted from 1.
        """
        if self._draws is None or self._draws[0] != epoch:
            place = (*self._place, epoch)
            self._draws = epoch, draw_augmentation(self._recipe, self._n, self._seed, place)
        return self._images.augmented(index, self._draws[1], self._recipe)

    def plain(self, index: NDArray[np.int64]) -> Tensor:
        """Return images as they are: (b, c, h, w) float32, channels last in memory."""
        return self._images.plain(index)


def _on_device(pixels: NDArray[np.uint8], device: torch.device) -> Tensor | None:
    """Return the whole array on a GPU that has room for it; None elsewhere."""
    if device.type != "cuda" or pixels.nbytes > ROOM * torch.cuda.mem_get_info(device)[0]:
        return None
    resident = torch.empty(pixels.shape, dtype=torch.uint8, device=device)
    for part in chunks(len(pixels), pixels[0].nbytes):
        resident[part] = torch.from_numpy(np.array(pixels[part]))
    return resident


MAPS = 3  # dimensions of one image's maps, (h, w, c)


class FeatureBatches:
    """Batches of features by index; each epoch takes the next view, in turn."""

    def __init__(self, features: Features, device: torch.device) -> None:
        """Take the arrays.

        Args:
            features: With at least one view; may be memory-mapped.
            device: Of the batches.
        """
        assert features.plain is not None
        self.image_bytes = features.plain[0].nbytes
        self._plain = MappedRows(features.plain)
        self._views = [MappedRows(view) for view in features.views]
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

    def _take(self, rows: MappedRows, index: NDArray[np.int64]) -> Tensor:
        taken = torch.from_numpy(rows.take(index))
        if self._is_half:
            taken = taken.view(torch.bfloat16)
        if taken.ndim == MAPS + 1:
            taken = taken.permute(0, 3, 1, 2)
        return taken.to(self._device)
