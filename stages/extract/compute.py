"""The features of every training image, batch by batch."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from stages.augment.draws import Draws, draw_view
from stages.build.cut import features
from stages.contracts.dataset import Dataset
from stages.contracts.network import ChannelStatistics, Cut
from stages.contracts.recipe import Recipe
from stages.train.hardware import Hardware
from stages.train.images import Images

BATCH = 256  # images; results depend on it in the last bits, hence fixed


class Extractor:
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
        self._images = Images(dataset.images, normalisation.mean, normalisation.std, device)
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
        draws: Draws = draw_view(recipe, self._n, self._seed, number)
        for index in self._batches():
            images = self._images.augmented(index, draws, recipe)
            yield _positions(index), as_array(self._run(images))

    def _batches(self) -> Iterator[NDArray[np.int64]]:
        for start in range(0, self._n, BATCH):
            yield np.arange(start, min(start + BATCH, self._n))

    @torch.inference_mode()
    def _run(self, images: Tensor) -> Tensor:
        with self._hardware.autocast():
            return features(self._module, self._cut, images)


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
