"""scikit-learn's handwritten digits: 1,797 images of 8×8, within the package, hence offline.

E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

from foldwise.core.machine import chunks
from foldwise.data.arrange import Arrangement
from foldwise.data.decode import Decoded
from foldwise.data.folder import open_folder
from foldwise.data.source import ImageSource
from foldwise.files.dataset import DatasetInfo, create_images, write_dataset
from foldwise.files.params import PrepareParams

BRIGHTEST = 16  # a pixel counts the dark dots, 0 .. 16, of a 4×4 block of the scan


def open_digits() -> ImageSource:
    """Return the digits, scaled from 0 .. 16 to 0 .. 255; there is no official test set."""
    digits = load_digits()
    pixels = np.round(digits.images * 255 / BRIGHTEST).astype(np.uint8)  # (n, 8, 8)
    return ImageSource(
        root="digits",
        classes=[str(digit) for digit in range(10)],
        files=[f"{index:04d}" for index in range(len(pixels))],
        labels=digits.target.astype(np.int64),
        is_test=np.zeros(len(pixels), dtype=np.bool_),
        is_published=True,
        load=lambda index: Image.fromarray(pixels[index]),
    )


def open_source(name: str, root: str) -> ImageSource:
    """Open a data set of the catalogue without decoding an image.

    Args:
        name: digits, folder, or the name of a torchvision data set.
        root: Folder of the files; digits needs none.

    Raises:
        InputError: If the files are not there or not laid out as they should be.
    """
    if name == "digits":
        return open_digits()
    if name == "folder":
        return open_folder(root)
    # Here, since importing torchvision takes 3 to 7 seconds that the other sources need not pay.
    from foldwise.data.torchvision_sets import open_torchvision

    return open_torchvision(name, root)


def store_dataset(
    folder: Path,
    params: PrepareParams,
    source: ImageSource,
    decoded: Decoded,
    arranged: Arrangement,
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
    for part in chunks(len(order), decoded.pixels[0].nbytes):
        images[part] = decoded.pixels[order[part], :, :, :n_channels]
    return images.shape


def _describe(
    params: PrepareParams, source: ImageSource, arranged: Arrangement, shape: tuple[int, ...]
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


def summarise_dataset(info: DatasetInfo) -> str:
    """Return the one line that prepare prints."""
    left_out = f", {info.n_left_out:,} left out (also test images, or under two labels)"
    return (
        f"{info.name}, {info.n_train:,} + {info.n_test:,} test images of "
        f"{info.height}×{info.width}×{info.channels} in {len(info.classes)} classes"
        f"{left_out if info.n_left_out else ''}"
    )
