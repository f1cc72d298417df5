"""Features of every training image, from the frozen part of a network."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from foldwise.data.augment import draw_view, is_identity
from foldwise.data.mixing import require_unmixed
from foldwise.engine.hardware import Hardware, set_up
from foldwise.engine.inputs import MAP_DIMS, ImageBatches
from foldwise.files.dataset import Dataset
from foldwise.files.features import (
    PLAIN,
    Dtype,
    FeaturesInfo,
    create_array,
)
from foldwise.files.measurements import Extraction
from foldwise.files.network import ChannelStatistics, Cut, Network
from foldwise.files.params import AugmentSection, ExtractSection, Params
from foldwise.nets.network import construct, extract_features
from foldwise.nets.weights.tensors import read_initial_weights

GIGABYTE = 1e9  # bytes
BATCH = 256  # images; fixed, because it changes the floating-point results

FeatureChunk = tuple[slice, NDArray[np.generic]]  # positions of images, and their features


class FeatureExtractor:
    """Runs images through the first part of a network that is cut in two."""

    def __init__(
        self,
        module: nn.Module,
        cut: Cut,
        dataset: Dataset,
        normalisation: ChannelStatistics,
        hardware: Hardware,
    ) -> None:
        """Place the network on the device.

        Args:
            module: The whole network.
            cut: Where its frozen part ends.
            dataset: The images; only training images are used, not the test set.
            normalisation: Normalisation of the images, the same for all folds.
            hardware: Device and precision.
        """
        self._module = hardware.place(module).eval()
        self._cut = cut
        self._n, self._seed = dataset.info.n_train, dataset.info.seed
        self._sides = dataset.info.height, dataset.info.width
        self._images = ImageBatches(
            dataset.images, normalisation.mean, normalisation.std, hardware.device
        )
        self._hardware = hardware

    def probe(self) -> Tensor:
        """Return the features of the first image, (1, ...), to learn their shape and type."""
        return self._run(self._images.plain(np.arange(1)))

    def plain(self) -> Iterator[FeatureChunk]:
        """Yield the features of all images without augmentation."""
        yield from self._chunks(self._images.plain)

    def view(self, number: int, recipe: AugmentSection) -> Iterator[FeatureChunk]:
        """Yield the features of one augmented view of all images, the same for all folds."""
        draws = draw_view(recipe, (self._n, *self._sides), self._seed, number)
        yield from self._chunks(lambda index: self._images.augmented(index, draws, recipe))

    def _chunks(self, load: Callable[[NDArray[np.int64]], Tensor]) -> Iterator[FeatureChunk]:
        for start in range(0, self._n, BATCH):
            rows = slice(start, min(start + BATCH, self._n))
            yield rows, as_array(self._run(load(np.arange(rows.start, rows.stop))))

    @torch.inference_mode()
    def _run(self, images: Tensor) -> Tensor:
        with self._hardware.autocast():
            return extract_features(self._module, self._cut, images)


def as_array(features: Tensor) -> NDArray[np.generic]:
    """Return features in their file format: maps channels last, bfloat16 as uint16."""
    if features.ndim == MAP_DIMS + 1:
        features = features.permute(0, 2, 3, 1)  # (b, c, h, w) -> (b, h, w, c)
    features = features.contiguous().cpu()
    if features.dtype == torch.bfloat16:
        features = features.view(torch.uint16)
    array: NDArray[np.generic] = features.numpy()
    return array


def why_too_large(n_bytes: int, section: ExtractSection) -> str | None:
    """Return why features of this size are not stored; None if they are."""
    if n_bytes <= section.most_gigabytes * GIGABYTE:
        return None
    return (
        f"they would take {n_bytes / GIGABYTE:.2g} GB, over extract.most_gigabytes, "
        f"{section.most_gigabytes:g}"
    )


def store_features(
    folder: Path,
    network: Network,
    weights: Path,
    data: tuple[Dataset, AugmentSection],
    params: Params,
) -> tuple[FeaturesInfo, Extraction]:
    """Write the features of all training images; return features.json and how long it took.

    Args:
        folder: Folder of the arrays.
        network: With a cut, and with its own normalisation.
        weights: Folder of its pretrained weights.
        data: The data set and its augmentation.
        params: Number of views, size limit, and hardware.

    Raises:
        InputError: If the recipe mixes images.
    """
    start, (dataset, recipe) = time.perf_counter(), data
    assert network.cut is not None
    assert network.normalisation is not None
    hardware = set_up(params.hardware)
    torch.manual_seed(dataset.info.seed)  # for layers behind the cut; they do not change features
    module = construct(network, read_initial_weights(weights))
    extractor = FeatureExtractor(module, network.cut, dataset, network.normalisation, hardware)
    example = extractor.probe()
    dtype: Dtype = "bfloat16" if example.dtype == torch.bfloat16 else "float32"
    shape = (dataset.info.n_train, *as_array(example).shape[1:])
    is_plain = is_identity(recipe, dataset.info.height, dataset.info.width)
    views = [] if is_plain else [f"view-{number}" for number in range(params.extract.views)]
    n_bytes = example.numel() * example.element_size() * shape[0] * (1 + len(views))
    reason = why_too_large(n_bytes, params.extract)
    if reason is not None:
        without = Extraction(seconds=0, machine=None)
        return FeaturesInfo(views=[], dtype=dtype, reason=reason), without
    require_unmixed(recipe, network.name)
    features = {PLAIN: extractor.plain()}
    features |= {name: extractor.view(number, recipe) for number, name in enumerate(views)}
    for name, feature_chunks in features.items():
        array = create_array(folder, name, shape, dtype)
        for rows, values in feature_chunks:
            array[rows] = values
    seconds = round(time.perf_counter() - start, 3)
    info = FeaturesInfo(views=views or [PLAIN], dtype=dtype, reason=None)
    return info, Extraction(seconds=seconds, machine=hardware.describe())
