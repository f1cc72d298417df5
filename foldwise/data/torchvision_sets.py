"""torchvision's classification data sets, downloaded by torchvision or read from the root."""

import gzip
import http.client
import inspect
import socket
import tarfile
import zipfile
import zlib
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
from foldwise.data.source import ImageSource
from foldwise.files.catalogue import TORCHVISION_SETS

FLAT = "train-images-idx3-ubyte.gz"  # how MNIST and its kin are handed round
PATIENCE = 30.0  # seconds that a server may be silent; without a limit it would be minutes
# What a download that fails, a broken archive or a broken file makes torchvision raise.
UNAVAILABLE = (
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    AssertionError,
    EOFError,
    ImportError,
    http.client.HTTPException,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


def open_torchvision(name: str, root: str) -> ImageSource:
    """Open a data set of torchvision; what is not below the root is downloaded into it.

    MNIST and its kin are also read from the four .gz files that lie directly in the root.

    Args:
        name: A key of the catalogue's TORCHVISION.
        root: torchvision's `root`.

    Raises:
        InputError: If the files are not there and cannot be downloaded, or are broken.
    """
    try:
        with _no_endless_wait():
            parts = _parts(name, root)
        labels = [_labels(part) for part in parts]
    except UNAVAILABLE as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise InputError(
            f"{name} is neither readable in prepare.root '{root}' nor could it be downloaded "
            f"({reason}); connect to the network, or put the files there as torchvision does"
        ) from None
    classes, numbers = _classes(parts[0], np.concatenate(labels))
    n_train = len(labels[0])
    both: ConcatDataset[Any] = ConcatDataset(parts)
    return ImageSource(
        root=name,
        classes=classes,
        files=[
            f"{part}/{index}"
            for part, group in zip(("train", "test"), labels, strict=False)
            for index in range(len(group))
        ],
        labels=numbers,
        is_test=np.arange(len(numbers)) >= n_train,
        is_published=True,
        load=lambda index: both[index][0],
    )


@contextmanager
def _no_endless_wait() -> Iterator[None]:
    """Let the connections that torchvision opens fail after PATIENCE; it has no option for it."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _parts(name: str, root: str) -> list[Any]:
    """Return the training part and, where there is one, the test part."""
    kind = getattr(torchvision.datasets, name)
    keywords = [part for part in TORCHVISION_SETS[name] if part is not None]
    if issubclass(kind, torchvision.datasets.MNIST) and (Path(root) / FLAT).is_file():
        return _read_flat(kind, Path(root), keywords)
    if "download" in inspect.signature(kind).parameters:
        keywords = [{**part, "download": True} for part in keywords]
    return [kind(root=root, **part) for part in keywords]


def _read_flat(kind: Any, root: Path, keywords: Sequence[dict[str, Any]]) -> list[Any]:  # noqa: ANN401
    """Lay the .gz files out as torchvision wants them and let it read them.

    torchvision's checksums are left aside: they are of its own .gz files, and files that were
    packed anew hold the same images.
    """
    with TemporaryDirectory() as folder:
        raw = Path(folder, kind.__name__, "raw")
        raw.mkdir(parents=True)
        for file, _ in kind.resources:
            (raw / Path(file).stem).write_bytes(gzip.decompress((root / file).read_bytes()))
        return [kind(root=folder, download=False, **part) for part in keywords]


def _labels(dataset: Any) -> NDArray[np.int64]:  # noqa: ANN401
    """Return the labels without decoding an image; torchvision has five names for them."""
    for attribute in ("targets", "labels", "_labels", "y"):
        if hasattr(dataset, attribute):
            labels = np.asarray(getattr(dataset, attribute), dtype=np.int64)
            break
    else:
        labels = np.array([label for _, label in dataset._samples], dtype=np.int64)
    if len(labels) != len(dataset):
        raise ValueError(f"{len(dataset)} images but {len(labels)} labels")
    return labels


def _classes(dataset: Any, labels: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:  # noqa: ANN401
    """Return the class names and the labels as positions among them.

    A class has the first of its names where it has several, and its number where it has none.
    """
    names = getattr(dataset, "classes", None) or getattr(dataset, "categories", None)
    if names is None:
        values, positions = np.unique(labels, return_inverse=True)
        return [str(value) for value in values], positions.astype(np.int64)
    return [name if isinstance(name, str) else name[0] for name in names], labels
