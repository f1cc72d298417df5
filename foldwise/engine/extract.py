"""The features of every training image, batch by batch."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from foldwise.data.augment import AugmentationDraws, draw_view
from foldwise.engine.hardware import Hardware, set_up
from foldwise.engine.inputs import ImageBatches
from foldwise.files.dataset import Dataset
from foldwise.files.features import (
    PLAIN,
    Dtype,
    FeaturesInfo,
    create_array,
    view_names,
    why_too_large,
)
from foldwise.files.network import ChannelStatistics, Cut, Network
from foldwise.files.params import Params
from foldwise.files.split import Recipe
from foldwise.nets.network import construct, extract_features
from foldwise.nets.weights.tensors import read_start

BATCH = 256  # images; results depend on it in the last bits, hence fixed


class FeatureExtractor:
    """A network cut in two, and the images that go through its first part."""

    def __init__(
        self,
        module: nn.Module,
        cut: Cut,
        dataset: Dataset,
        normalisation: ChannelStatistics,
        hardware: Hardware,
    ) -> None:
        """Take what runs on what.

        Args:
            module: The whole network.
            cut: Where it is cut.
            dataset: The images; those held out are left alone.
            normalisation: Of all folds.
            hardware: Where to run.
        """
        device = hardware.device
        self._module = hardware.place(module).eval()
        self._cut = cut
        self._n, self._seed = dataset.info.n_train, dataset.info.seed
        self._images = ImageBatches(dataset.images, normalisation.mean, normalisation.std, device)
        self._hardware = hardware

    def probe(self) -> Tensor:
        """Return the features of one image as it is, to see their shape and type."""
        return self._run(self._images.plain(np.arange(1)))

    def plain(self) -> Iterator[tuple[slice, NDArray[np.generic]]]:
        """Yield the features of images as they are, with their positions."""
        for index in self._batches():
            yield _positions(index), as_array(self._run(self._images.plain(index)))

    def view(self, number: int, recipe: Recipe) -> Iterator[tuple[slice, NDArray[np.generic]]]:
        """Yield the features of one augmented view, the same for all folds."""
        draws: AugmentationDraws = draw_view(recipe, self._n, self._seed, number)
        for index in self._batches():
            images = self._images.augmented(index, draws, recipe)
            yield _positions(index), as_array(self._run(images))

    def _batches(self) -> Iterator[NDArray[np.int64]]:
        for start in range(0, self._n, BATCH):
            yield np.arange(start, min(start + BATCH, self._n))

    @torch.inference_mode()
    def _run(self, images: Tensor) -> Tensor:
        with self._hardware.autocast():
            return extract_features(self._module, self._cut, images)


def as_array(values: Tensor) -> NDArray[np.generic]:
    """Return features as they are stored: maps with channels last, bfloat16 as its bits."""
    if values.ndim == 4:
        values = values.permute(0, 2, 3, 1)
    values = values.contiguous().cpu()
    if values.dtype == torch.bfloat16:
        values = values.view(torch.uint16)
    array: NDArray[np.generic] = values.numpy()
    return array


def _positions(index: NDArray[np.int64]) -> slice:
    return slice(int(index[0]), int(index[-1]) + 1)


def store_features(
    folder: Path, network: Network, start: Path, data: tuple[Dataset, Recipe], params: Params
) -> FeaturesInfo:
    """Write the features of all training images, and return what was written.

    Args:
        folder: Where to.
        network: With a cut and a normalisation of its own.
        start: Folder of its pretrained weights.
        data: The images and their augmentation.
        params: How many views, and where to run.
    """
    dataset, recipe = data
    assert network.cut is not None
    assert network.normalisation is not None
    hardware = set_up(params.hardware)
    torch.manual_seed(dataset.info.seed)  # what is not pretrained does not count here
    module = construct(network, read_start(start))
    extractor = FeatureExtractor(module, network.cut, dataset, network.normalisation, hardware)
    one = extractor.probe()
    dtype: Dtype = "bfloat16" if one.dtype == torch.bfloat16 else "float32"
    shape = (dataset.info.n_train, *as_array(one).shape[1:])
    views = view_names(recipe, params.extract)
    n_bytes = one.numel() * one.element_size() * shape[0] * (1 + len(views))
    reason = why_too_large(n_bytes, params.extract)
    if reason is not None:
        return FeaturesInfo(views=[], dtype=dtype, reason=reason)
    array = create_array(folder, PLAIN, shape, dtype)
    for place, values in extractor.plain():
        array[place] = values
    for number, name in enumerate(views):
        array = create_array(folder, name, shape, dtype)
        for place, values in extractor.view(number, recipe):
            array[place] = values
    return FeaturesInfo(views=views or [PLAIN], dtype=dtype, reason=None)
