"""torchvision's classification data sets, downloaded by torchvision or read from a folder."""

import gzip
import inspect
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torchvision
from numpy.typing import NDArray
from torch.utils.data import ConcatDataset

from foldwise.core.errors import InputError
from foldwise.data.sources import ImageSource
from foldwise.files.catalogue import TORCHVISION_SETS

FLAT_FILE = "train-images-idx3-ubyte.gz"  # MNIST and its variants are distributed like this
TIMEOUT_SECONDS = 30.0  # without a response of the server; the default is minutes


def open_torchvision(name: str, root: str) -> ImageSource:
    """Return a data set of torchvision; missing files are downloaded.

    MNIST and its variants are also read from the four .gz files directly in the root.

    Args:
        name: A key of TORCHVISION_SETS in the catalogue.
        root: torchvision's `root`.

    Raises:
        InputError: If the files are broken, or missing and the download fails.
    """
    try:
        with _socket_timeout(TIMEOUT_SECONDS):
            parts = _parts(name, root)
        labels = [_labels(part) for part in parts]
    except Exception as error:  # noqa: BLE001  # failed downloads and broken files raise many types
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise InputError(
            f"{name} is not readable in prepare.root '{root}' and could not be downloaded "
            f"({reason}); connect to the network, or put the files there as torchvision does"
        ) from None
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


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """Set the default timeout of sockets, because torchvision has no option for it."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _parts(name: str, root: str) -> list[Any]:
    """Return the training part and, if there is one, the test part."""
    dataset_class = getattr(torchvision.datasets, name)
    kwargs = [part for part in TORCHVISION_SETS[name] if part is not None]
    is_mnist = issubclass(dataset_class, torchvision.datasets.MNIST)
    if is_mnist and (Path(root) / FLAT_FILE).is_file():
        return _read_flat(dataset_class, Path(root), kwargs)
    if "download" in inspect.signature(dataset_class).parameters:
        kwargs = [{**part, "download": True} for part in kwargs]
    return [dataset_class(root=root, **part) for part in kwargs]


def _read_flat(
    dataset_class: Any,  # noqa: ANN401
    root: Path,
    kwargs: Sequence[dict[str, Any]],
) -> list[Any]:
    """Unpack the .gz files into the folders that torchvision expects, and let it read them.

    torchvision's checksums are not checked: they are those of its own .gz files, and files that
    were compressed again hold the same images.
    """
    with TemporaryDirectory() as folder:
        raw = Path(folder, dataset_class.__name__, "raw")
        raw.mkdir(parents=True)
        for file, _ in dataset_class.resources:
            (raw / Path(file).stem).write_bytes(gzip.decompress((root / file).read_bytes()))
        return [dataset_class(root=folder, download=False, **part) for part in kwargs]


def _labels(dataset: Any) -> NDArray[np.int64]:  # noqa: ANN401
    """Return the labels without decoding an image; torchvision has five attributes for them."""
    names = [name for name in ("targets", "labels", "_labels", "y") if hasattr(dataset, name)]
    values = getattr(dataset, names[0]) if names else [label for _, label in dataset._samples]
    labels = np.asarray(values, dtype=np.int64)
    if len(labels) != len(dataset):
        raise ValueError(f"{len(dataset)} images but {len(labels)} labels")
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
