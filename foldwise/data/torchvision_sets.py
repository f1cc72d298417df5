"""torchvision's classification data sets, downloaded by torchvision or read from a folder."""

import inspect
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torchvision
from numpy.typing import NDArray
from torch.utils.data import ConcatDataset

from foldwise.core.errors import InputError
from foldwise.data.sources import ImageSource
from foldwise.files.catalogue import TORCHVISION_SETS

TIMEOUT_SECONDS = 30.0  # without a response of the server; the default is minutes


def open_torchvision(name: str, root: str) -> ImageSource:
    """Return a data set of torchvision; missing files are downloaded.

    Args:
        name: A key of TORCHVISION_SETS in the catalogue.
        root: torchvision's `root`.

    Raises:
        InputError: If the files are broken, or missing and the download fails.
    """
    parts = _parts(name, root)
    labels = [_labels(part, f"{name} in prepare.root '{root}'") for part in parts]
    classes, positions = _classes(parts[0], np.concatenate(labels))
    images: ConcatDataset[Any] = ConcatDataset(parts)
    return ImageSource(
        root=name,
        classes=classes,
        files=[
            f"{part}/{index}"
            for part, part_labels in zip(("train", "test"), labels, strict=False)
            for index in range(len(part_labels))
        ],
        labels=positions,
        is_test=np.arange(len(positions)) >= len(labels[0]),
        is_published=True,
        load=lambda index: images[index][0],
    )


def _parts(name: str, root: str) -> list[Any]:
    """Return the training part and, if there is one, the test part."""
    dataset_class = getattr(torchvision.datasets, name)
    kwargs = [part for part in TORCHVISION_SETS[name] if part is not None]
    if "download" in inspect.signature(dataset_class).parameters:
        kwargs = [{**part, "download": True} for part in kwargs]
    with _torchvision_errors(name, root):
        return [dataset_class(root=root, **part) for part in kwargs]


@contextmanager
def _torchvision_errors(name: str, root: str) -> Iterator[None]:
    """Raise any exception as an InputError, also if a server does not respond in time."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT_SECONDS)  # torchvision has no option for it
    try:
        yield
    except Exception as error:  # noqa: BLE001  # failed downloads and broken files raise many types
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise InputError(
            f"{name} is not readable in prepare.root '{root}' and could not be downloaded "
            f"({reason}); connect to the network, or put the files there as torchvision does"
        ) from None
    finally:
        socket.setdefaulttimeout(before)


def _labels(dataset: Any, place: str) -> NDArray[np.int64]:  # noqa: ANN401
    """Return the labels without decoding an image; torchvision has five attributes for them."""
    names = [name for name in ("targets", "labels", "_labels", "y") if hasattr(dataset, name)]
    values = getattr(dataset, names[0]) if names else [label for _, label in dataset._samples]
    labels = np.asarray(values, dtype=np.int64)
    if len(labels) != len(dataset):
        n = len(dataset)
        raise InputError(f"{place}: {n} images but {len(labels)} labels; replace the files")
    return labels


def _classes(dataset: Any, labels: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:  # noqa: ANN401
    """Return the class names and the position of each label among them.

    Of a class with several names, the first is used. A class without a name gets its number.
    """
    names = getattr(dataset, "classes", None) or getattr(dataset, "categories", None)
    if names is None:
        values, positions = np.unique(labels, return_inverse=True)
        return [str(value) for value in values], positions.astype(np.int64)
    return [name if isinstance(name, str) else name[0] for name in names], labels
