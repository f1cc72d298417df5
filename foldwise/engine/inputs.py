"""The images of one fold, and the batches in which they reach the network."""

import mmap
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from foldwise.core.machine import chunks
from foldwise.data.augment import (
    AugmentationDraws,
    as_images,
    augment,
    draw_augmentation,
)
from foldwise.files.dataset import PIXEL_MAX
from foldwise.files.features import Features
from foldwise.files.network import ChannelStatistics
from foldwise.files.params import AugmentSection

LARGE = 2**30  # bytes; a smaller array stays in memory once it was read
MAX_GPU_SHARE = 0.5  # of the free GPU memory, for the data set; training needs the rest
MAP_DIMS = 3  # dimensions of the feature maps of one image, (h, w, c)

Place = tuple[int, int]  # repeat and fold, both from 0


class MappedRows:
    """Rows of an array by index, also of a memory-mapped array that is larger than memory.

    Linux reads up to read_ahead_kb around each missing page. Measured with random images of
    147 KiB from a 15 GB array in 1 GB of memory: it read 51 times the bytes that were needed, at
    18 ms an image. With MADV_WILLNEED it is 1.03 times and 0.4 ms. Sorting the images of a batch
    changed neither.
    """

    def __init__(self, array: NDArray[np.generic]) -> None:
        """Open a contiguous array, (n, ...), in memory or memory-mapped by np.load."""
        self._array = array
        self._file = file_mapping(array) if array.nbytes > LARGE else None

    def take(self, index: NDArray[np.int64]) -> NDArray[np.generic]:
        """Return a copy of the rows at `index`, (b, ...)."""
        if self._file is not None:
            self._prefetch(self._file, index)
        return np.ascontiguousarray(self._array[index])

    def _prefetch(self, file: mmap.mmap, index: NDArray[np.int64]) -> None:
        row_bytes = self._array[0].nbytes
        header_bytes = len(file) - self._array.nbytes
        for start in (header_bytes + row_bytes * index).tolist():
            page = start // mmap.PAGESIZE * mmap.PAGESIZE
            file.madvise(mmap.MADV_WILLNEED, page, start + row_bytes - page)


def file_mapping(array: NDArray[np.generic]) -> mmap.mmap | None:
    """Return the mapping behind a memory-mapped array; None for an array in memory."""
    # Private: np.memmap has no public name for its mapping.
    mapping: mmap.mmap | None = getattr(array, "_mmap", None)
    return mapping


class Inputs(Protocol):
    """Source of batches: images, or cached features of a frozen part of the network.

    Attributes:
        image_bytes: Bytes on the device of the input for one image.
    """

    image_bytes: int

    def training(self, index: NDArray[np.int64], epoch: int) -> Tensor:
        """Return the inputs of training images in an epoch.

        Args:
            index: (b,) positions in the data set.
            epoch: Counted from 1.

        Returns:
            (b, ...); images and feature maps are (b, c, h, w), channels last in memory.
        """

    def plain(self, index: NDArray[np.int64]) -> Tensor:
        """Return the inputs of images without augmentation, likewise."""


class ImageBatches:
    """Normalised images of a data set by index.

    The uint8 array is copied to the GPU if it fits there. Otherwise, and on the CPU, it stays
    memory-mapped, and only the images of a batch are read.
    """

    def __init__(
        self, pixels: NDArray[np.uint8], mean: list[float], std: list[float], device: torch.device
    ) -> None:
        """Open the images with the normalisation of one fold.

        Args:
            pixels: (n, h, w, c), may be memory-mapped.
            mean: (c,) mean of each channel, in units of 0 .. 1.
            std: (c,) standard deviation of each channel, in units of 0 .. 1, above 0.
            device: Device of the batches.
        """
        self._pixels = MappedRows(pixels)
        self.image_bytes = torch.float32.itemsize * pixels[0].size
        self._device = device
        self._resident = _copy_to_gpu(pixels, device)
        self._mean = torch.tensor(mean, device=device).reshape(1, -1, 1, 1) * PIXEL_MAX
        self._scale = 1 / (torch.tensor(std, device=device).reshape(1, -1, 1, 1) * PIXEL_MAX)

    def plain(self, index: NDArray[np.int64]) -> Tensor:
        """Return images without augmentation: (b, c, h, w) float32, channels last in memory.

        Args:
            index: (b,) positions in the data set.
        """
        return self._normalise(as_images(self._take(index)))

    def augmented(
        self, index: NDArray[np.int64], draws: AugmentationDraws, recipe: AugmentSection
    ) -> Tensor:
        """Return images augmented, then normalised: (b, c, h, w) float32, channels last.

        Args:
            index: (b,) positions in the data set.
            draws: The random draws of this epoch for every image of the data set.
            recipe: The augmentation.
        """
        return self._normalise(augment(self._take(index), draws.take(index), recipe))

    def _take(self, index: NDArray[np.int64]) -> Tensor:
        if self._resident is None:
            return torch.from_numpy(self._pixels.take(index)).to(self._device)
        return self._resident[torch.from_numpy(index).to(self._device)]

    def _normalise(self, images: Tensor) -> Tensor:
        return (images - self._mean) * self._scale


def _copy_to_gpu(pixels: NDArray[np.uint8], device: torch.device) -> Tensor | None:
    """Return the whole array on the GPU if it fits there; None otherwise and on the CPU."""
    if device.type != "cuda" or pixels.nbytes > MAX_GPU_SHARE * torch.cuda.mem_get_info(device)[0]:
        return None
    resident = torch.empty(pixels.shape, dtype=torch.uint8, device=device)
    for chunk in chunks(len(pixels), pixels[0].nbytes):
        resident[chunk] = torch.from_numpy(np.array(pixels[chunk]))
    return resident


class AugmentedImages:
    """Inputs for a network without cached features: each epoch augments the images anew."""

    def __init__(
        self,
        images: ImageBatches,
        recipe: AugmentSection,
        shape: tuple[int, ...],
        seed: int,
        place: Place,
    ) -> None:
        """Choose the random draws.

        Args:
            images: The data set, normalised for the fold.
            recipe: The augmentation of training images.
            shape: (n, h, w, ...) of all images of the data set.
            seed: Seed of the data set.
            place: Repeat and fold.
        """
        self._images, self._recipe = images, recipe
        self.image_bytes = images.image_bytes
        self._shape, self._seed, self._place = shape, seed, place
        self._draws: tuple[int, AugmentationDraws] | None = None  # with the epoch

    def training(self, index: NDArray[np.int64], epoch: int) -> Tensor:
        """Return training images, augmented: (b, c, h, w) float32."""
        if self._draws is None or self._draws[0] != epoch:
            place = (*self._place, epoch)
            self._draws = epoch, draw_augmentation(self._recipe, self._shape, self._seed, place)
        return self._images.augmented(index, self._draws[1], self._recipe)

    def plain(self, index: NDArray[np.int64]) -> Tensor:
        """Return images without augmentation: (b, c, h, w) float32."""
        return self._images.plain(index)


class FeatureBatches:
    """Inputs from cached features: the epochs take the augmented views in turn."""

    def __init__(self, features: Features, device: torch.device) -> None:
        """Open features that have at least one view, for batches on the device."""
        assert features.plain is not None
        self.image_bytes = features.plain[0].nbytes
        self._plain = MappedRows(features.plain)
        self._views = [MappedRows(view) for view in features.views]
        self._is_bfloat16 = features.dtype == "bfloat16"
        self._device = device

    def training(self, index: NDArray[np.int64], epoch: int) -> Tensor:
        """Return features of augmented images: (b, ...)."""
        return self._take(self._views[(epoch - 1) % len(self._views)], index)

    def plain(self, index: NDArray[np.int64]) -> Tensor:
        """Return features of images without augmentation: (b, ...)."""
        return self._take(self._plain, index)

    def _take(self, rows: MappedRows, index: NDArray[np.int64]) -> Tensor:
        features = torch.from_numpy(rows.take(index))
        if self._is_bfloat16:
            features = features.view(torch.bfloat16)
        if features.ndim == MAP_DIMS + 1:
            features = features.permute(0, 3, 1, 2)  # (b, h, w, c) -> (b, c, h, w)
        return features.to(self._device)


@dataclass(frozen=True)
class Fold:
    """One fold of one repeat; the same for every architecture.

    Attributes:
        repeat: Number of the repeat, from 0.
        number: Number of the fold, 0 .. k - 1.
        n_folds: k.
        seed: Seed of the data set.
        training: (n,) positions of the images that train.
        train_eval_subset: (m,) positions of the training images that give the training curve.
        validation: (m,) positions of the images that validate.
        recipe: The augmentation; the trainer mixes images and labels of a batch as it says.
        inputs: Source of the batches.
        labels: (n_images,) int64 class of every image of the data set.
        weights: (n_images,) weight of every image in the loss; None: all equal.
        normalisation: Mean and standard deviation of the channels.
        train_digest: Digest of the pixels and labels of the images that train.
        validation_digest: Digest of the pixels and labels of the images that validate.
    """

    repeat: int
    number: int
    n_folds: int
    seed: int
    training: NDArray[np.int64]
    train_eval_subset: NDArray[np.int64]
    validation: NDArray[np.int64]
    recipe: AugmentSection
    inputs: Inputs
    labels: NDArray[np.int64]
    weights: NDArray[np.float64] | None
    normalisation: ChannelStatistics
    train_digest: str
    validation_digest: str
