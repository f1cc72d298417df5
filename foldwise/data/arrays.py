"""A data set from arrays in memory, for notebooks."""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from foldwise.core.errors import InputError, counted, first_few
from foldwise.files.dataset import Dataset, DatasetInfo

MIN_SIDE = 4  # pixels, as in prepare.image_size
MAX_CHANNELS = 8


def dataset_from_arrays(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64] | Sequence[int],
    classes: Sequence[str],
    name: str = "arrays",
    seed: int = 0,
) -> Dataset:
    """Return images in memory as a data set without test images.

    >>> import numpy as np
    >>> images = np.zeros((4, 8, 8, 3), dtype=np.uint8)
    >>> dataset = dataset_from_arrays(images, np.array([0, 1, 0, 1]), ["cat", "dog"])
    >>> dataset.info.n_train, dataset.info.channels
    (4, 3)

    Args:
        images: (n, h, w, c) uint8, with 1 to 8 channels.
        labels: (n,) class of each image, 0 .. len(classes) - 1.
        classes: The names of the classes, at least two.
        name: The name of the data set.
        seed: The seed of every random draw.

    Raises:
        InputError: If the arrays have another type or shape, a label is not a class, or there are
            fewer than two classes; one line for each error.
    """
    images, labels, classes = np.asarray(images), np.asarray(labels), list(classes)
    n = images.shape[0] if images.ndim else 0
    label_errors = _label_errors(labels, n, classes)
    if errors := [*_image_errors(images), *label_errors, *_class_errors(classes)]:
        raise InputError("\n".join(errors))
    height, width, channels = images.shape[1:]
    n_different = len({hashlib.sha256(image.tobytes()).digest() for image in images})
    info = DatasetInfo(
        name=name,
        classes=classes,
        height=height,
        width=width,
        channels=channels,
        n_train=n,
        n_test=0,
        official_test=False,
        n_duplicates=n - n_different,
        n_left_out=0,
        n_groups=n_different,
        seed=seed,
    )
    return Dataset(info, images, labels.astype(np.int64))


def _image_errors(images: NDArray[np.generic]) -> Iterator[str]:
    if images.dtype != np.uint8:
        yield (
            f"images is {images.dtype}; expected uint8, 0 to 255: numbers from 0 to 1 become that "
            "with (255 * images).round().astype(np.uint8)"
        )
    if images.ndim != 4:
        yield (
            f"images has shape {images.shape}; expected (n, height, width, channels): grey images "
            "become that with images[..., None]"
        )
    elif not len(images):
        yield f"images has shape {images.shape}; expected images"
    elif min(images.shape[1:3]) < MIN_SIDE or not 0 < images.shape[3] <= MAX_CHANNELS:
        yield (
            f"images has shape {images.shape}; expected (n, height, width, channels), at least "
            f"{MIN_SIDE} pixels a side and up to {MAX_CHANNELS} channels: channels that come first "
            "become the last with images.transpose(0, 2, 3, 1)"
        )


def _label_errors(labels: NDArray[np.generic], n: int, classes: list[str]) -> Iterator[str]:
    if labels.shape != (n,):
        yield f"labels has shape {labels.shape}; expected ({n},), a number for each image"
    elif labels.dtype.kind not in "biuf":
        yield (
            f"labels is {labels.dtype}; expected numbers: names become these with "
            "classes, labels = np.unique(labels, return_inverse=True)"
        )
    elif len(unknown := np.setdiff1d(labels, np.arange(len(classes)))):
        first = ": subtract 1 if they begin at 1" if labels.min() == 1 else ""
        yield (
            f"labels holds {first_few([f'{value:g}' for value in unknown])}, no positions in the "
            f"{counted(len(classes), 'name')} of classes; expected 0 to {len(classes) - 1}{first}"
        )


def _class_errors(classes: list[str]) -> Iterator[str]:
    if len({*classes}) != len(classes) or len(classes) < 2:
        yield f"classes is {classes!r:.60}; expected at least two names, all different"
    elif not all(isinstance(name, str) for name in classes):
        yield f"classes is {classes!r:.60}; expected names: [str(name) for name in classes]"
