"""The decoded images, arranged, as the files of contracts/dataset.py."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.contracts.dataset import DatasetInfo, create_images, write_dataset
from stages.contracts.pieces import pieces
from stages.prepare.arrange import Arrangement
from stages.prepare.decode import Decoded
from stages.prepare.params import PrepareParams
from stages.prepare.source import Source


def store(
    folder: Path, params: PrepareParams, source: Source, decoded: Decoded, arranged: Arrangement
) -> DatasetInfo:
    """Write images.npy, labels.npy, samples.csv and dataset.json, and return the last."""
    shape = _store_images(folder, decoded, arranged.order)
    info = _describe(params, source, arranged, shape)
    write_dataset(folder, info, arranged.samples)
    return info


def _store_images(folder: Path, decoded: Decoded, order: NDArray[np.intp]) -> tuple[int, ...]:
    """Copy the images into images.npy, with one channel if all are grey; return its shape."""
    n_channels = 1 if decoded.is_grey else 3
    height, width = decoded.pixels.shape[1:3]
    images = create_images(folder, (len(order), height, width, n_channels))
    for part in pieces(len(order), decoded.pixels[0].nbytes):
        images[part] = decoded.pixels[order[part], :, :, :n_channels]
    return images.shape


def _describe(
    params: PrepareParams, source: Source, arranged: Arrangement, shape: tuple[int, ...]
) -> DatasetInfo:
    samples = arranged.samples
    n_test = int(samples.is_test.sum())
    return DatasetInfo(
        name=params.prepare.dataset,
        classes=source.classes,
        height=shape[1],
        width=shape[2],
        channels=shape[3],
        n_train=len(samples.files) - n_test,
        n_test=n_test,
        official_test=source.has_official_test,
        n_duplicates=arranged.n_duplicates,
        n_left_out=arranged.n_left_out,
        n_groups=int(samples.groups.max()) + 1,
        seed=params.seed,
    )


def summarise(info: DatasetInfo) -> str:
    """Return the one line that prepare prints."""
    left_out = f", {info.n_left_out:,} left out (also test images, or under two labels)"
    return (
        f"{info.name}, {info.n_train:,} + {info.n_test:,} test images of "
        f"{info.height}×{info.width}×{info.channels} in {len(info.classes)} classes"
        f"{left_out if info.n_left_out else ''}"
    )
