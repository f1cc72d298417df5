"""MNIST and its variants, read from their IDX files.

torchvision reads them, too, but it takes seconds to import, and returns one image at a time.
"""

import gzip
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from foldwise.core.errors import InputError
from foldwise.data.sources import ImageSource

CLASSES = {
    "MNIST": (
        "0 - zero,1 - one,2 - two,3 - three,4 - four,5 - five,6 - six,7 - seven,8 - eight,9 - nine"
    ),
    "FashionMNIST": ("T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot"),
    "KMNIST": "o,ki,su,tsu,na,ha,ma,ya,re,wo",
}
PARTS = {"train": "train", "test": "t10k"}  # our name of each part, and that in file names
IMAGES, LABELS = "{}-images-idx3-ubyte", "{}-labels-idx1-ubyte"
UNSIGNED_BYTE = 8  # the type of the values, in the third byte of the file


def has_idx_files(name: str, root: str) -> bool:
    """Return whether the images are there, flat in the root or where torchvision puts them."""
    return name in CLASSES and _folder(name, root) is not None


def open_idx(name: str, root: str) -> ImageSource:
    """Return a data set whose IDX files are there, as torchvision reads them.

    Args:
        name: A key of `CLASSES`.
        root: Holds the four .gz files, or torchvision's folder NAME/raw.

    Raises:
        InputError: If a file is missing or broken.
    """
    folder, images, labels = _folder(name, root), [], []
    assert folder is not None
    for part in PARTS.values():
        try:
            images.append(_read(folder / IMAGES.format(part), 3))
            labels.append(_read(folder / LABELS.format(part), 1))
        except (OSError, EOFError, ValueError, zlib.error) as error:
            reason = " ".join(str(error).split())
            raise InputError(
                f"{name} is not readable in prepare.root '{root}' ({reason}); replace the file"
            ) from None
        if len(images[-1]) != len(labels[-1]):
            raise InputError(
                f"{name} in prepare.root '{root}': {len(images[-1])} images but "
                f"{len(labels[-1])} labels; replace the files"
            )
    pixels = np.concatenate(images)[..., None]  # (n, h, w, 1)
    sizes = [len(part) for part in labels]
    return ImageSource(
        root=name,
        classes=CLASSES[name].split(","),
        files=[f"{part}/{i}" for part, n in zip(PARTS, sizes, strict=True) for i in range(n)],
        labels=np.concatenate(labels).astype(np.int64),
        is_test=np.repeat([False, True], sizes),
        is_published=True,
        load=lambda index: Image.fromarray(pixels[index, :, :, 0]),
        pixels=pixels,
    )


def _folder(name: str, root: str) -> Path | None:
    file = IMAGES.format("train")
    if Path(root, f"{file}.gz").is_file():
        return Path(root)
    laid_out = Path(root, name, "raw")
    return laid_out if (laid_out / file).is_file() else None


def _read(path: Path, n_dims: int) -> NDArray[np.uint8]:
    """Return the array in an IDX file: two zeros, type, number of axes, lengths, values."""
    if path.is_file():
        content = path.read_bytes()
    else:
        content = gzip.decompress(path.with_name(f"{path.name}.gz").read_bytes())
    header = 4 + 4 * n_dims
    if content[:4] != bytes([0, 0, UNSIGNED_BYTE, n_dims]):
        raise ValueError(f"{path.name} is no IDX file of bytes with {n_dims} axes")
    shape = np.frombuffer(content, ">u4", n_dims, offset=4).tolist()
    if len(content) != header + int(np.prod(shape)):
        raise ValueError(f"{path.name} has {len(content) - header} values, not {shape}")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
