"""Image sources: class folders and scikit-learn's digits, listed but not decoded."""

import os
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from foldwise.core.errors import InputError
from foldwise.files.image_folder import list_files

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # also in the escape sequences of a terminal
ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
# An error rather than ignored: a class would lose these images without notice.
UNSUPPORTED = (".avif", ".heic", ".heif", ".jp2", ".jxl")
# PIL detects the format from the content: an EPS file named .jpg would run Ghostscript.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM", "AVIF", "JPEG2000", "SGI")
OFFICIAL_PARTS = ["test", "train"]
PART_NAMES = frozenset((*OFFICIAL_PARTS, "val", "valid", "validation"))
DIGITS_MAX = 16  # a pixel of the digits counts the dark dots in a 4×4 block of the scan


@dataclass(frozen=True)
class ImageSource:
    """Images with names and labels that are not decoded yet.

    Attributes:
        root: The folder of the files as the user wrote it, for messages.
        classes: The names of the classes; label i is classes[i].
        files: (n,) name of each image: a path below the root, or part and index.
        labels: (n,) class, 0 .. n_classes - 1.
        is_test: (n,) whether the image belongs to the official test set.
        is_published: Whether this is a published data set, whose files the user cannot correct.
        load: Returns image i, or the path of its file. Several threads call it at the same time.
        pixels: (n, h, w, c) all images, if they are in memory.
    """

    root: str
    classes: list[str]
    files: list[str]
    labels: NDArray[np.int64]
    is_test: NDArray[np.bool_]
    is_published: bool
    load: Callable[[int], Image.Image | Path]
    pixels: NDArray[np.uint8] | None = None

    @property
    def has_official_test(self) -> bool:
        """Whether the data set comes with a test set."""
        return bool(self.is_test.any())

    def take(self, positions: NDArray[np.intp]) -> "ImageSource":
        """Return a source of only the images at these positions, in this order."""
        return replace(
            self,
            files=[self.files[position] for position in positions],
            labels=self.labels[positions],
            is_test=self.is_test[positions],
            load=lambda index: self.load(int(positions[index])),
            pixels=None if self.pixels is None else self.pixels[positions],
        )


def open_digits() -> ImageSource:
    """Return scikit-learn's 1,797 digits of 8×8 pixels, scaled from 0 .. 16 to 0 .. 255.

    They come with the package, so that no network is needed. They have no official test set.
    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998.
    """
    from sklearn.datasets import load_digits  # here: slow to import, and only digits need it

    digits = load_digits()
    pixels = np.round(digits.images * 255 / DIGITS_MAX).astype(np.uint8)  # (n, 8, 8)
    return ImageSource(
        root="digits",
        classes=[str(digit) for digit in range(10)],
        files=[f"{index:04d}" for index in range(len(pixels))],
        labels=digits.target.astype(np.int64),
        is_test=np.zeros(len(pixels), dtype=np.bool_),
        is_published=True,
        load=lambda index: Image.fromarray(pixels[index]),
        pixels=pixels[..., None],
    )


def open_folder(root: str) -> ImageSource:
    """List the images in root/CLASS, or in root/train/CLASS and root/test/CLASS.

    Sub-folders of a class folder are searched, too. The folders `train` and `test` are official
    parts if there is no third folder; both must have the same class folders. Names are sorted by
    code point, which gives the same order on every machine. Hidden files, files that are not
    images and files outside the class folders are ignored.

    Raises:
        InputError: If the folder is missing, it has fewer than two classes, a class has no
            images, a class is in `test` only, an image has an unsupported format, a file name is
            not UTF-8, or something in it cannot be read or is neither a file nor a folder.
    """
    base = Path(root)
    _require_folder(base)
    listed = list_files(base, allow_links=False)
    parts = _parts(base)
    classes = _classes(base / parts[0])
    by_folder = _images(listed, 1 if parts == [""] else 2)
    folders = [folder for part in parts for folder in _folders(base / part)]
    images = {folder: by_folder[folder.relative_to(base).as_posix()] for folder in folders}
    errors = [error for item in images.items() for error in _errors(base, *item, classes)]
    if errors:
        raise InputError("\n".join(errors))
    sizes = [len(files) for files in images.values()]
    files = list(chain.from_iterable(images.values()))
    return ImageSource(
        root=root,
        classes=classes,
        files=files,
        labels=np.repeat([classes.index(folder.name) for folder in images], sizes),
        is_test=np.repeat([folder.parent == base / "test" for folder in images], sizes),
        is_published=False,
        load=lambda index: base / files[index],
    )


def _require_folder(base: Path) -> None:
    if not os.access(base, os.F_OK):  # Path.exists raises an error below an unreadable folder
        raise InputError(
            f"prepare.root is '{base}', which does not exist; create it with one folder of images "
            "per class, or name another folder"
        )
    if not base.is_dir():
        raise InputError(f"prepare.root is '{base}', which is a file; name the folder above it")


def _parts(base: Path) -> list[str]:
    """Return ["train", "test"], or [""] if the class folders are directly in the base folder."""
    names = [folder.name for folder in _folders(base)]
    if names == OFFICIAL_PARTS:
        return ["train", "test"]
    if names and PART_NAMES.issuperset(names):
        raise InputError(
            f"prepare.root is '{base}' with the folders {', '.join(names)}; expected one folder "
            "per class, or exactly train and test: rename or merge the parts"
        )
    return [""]


def _folders(base: Path) -> list[Path]:
    folders = [path for path in base.iterdir() if path.is_dir() and path.name[0] != "."]
    return sorted(folders, key=lambda path: path.name)


def _classes(base: Path) -> list[str]:
    classes = [folder.name for folder in _folders(base)]
    if len(classes) < 2:
        name = f", '{classes[0]}'" if classes else ""
        raise InputError(
            f"prepare.root: '{base}' holds {len(classes)} class folders{name}; expected at least "
            "2: add one folder of images per class, or name the folder above the classes"
        )
    return classes


def _images(files: list[str], depth: int) -> dict[str, list[str]]:
    """Return the images in each class folder, sorted.

    Args:
        files: Paths below the root.
        depth: Number of folders in the path of a class folder.
    """
    images: dict[str, list[str]] = defaultdict(list)
    for file in sorted(files):
        parts = file.split("/")
        is_image = parts[-1].lower().endswith(ENDINGS + UNSUPPORTED)
        if is_image and len(parts) > depth and not any(part.startswith(".") for part in parts):
            images["/".join(parts[:depth])].append(file)
    return images


def _errors(base: Path, folder: Path, files: list[str], classes: list[str]) -> list[str]:
    """Return one line per error in a class folder and its files."""
    if folder.name not in classes:
        return [f"'{folder}' is a class that train does not have; add it there or remove it"]
    names = [  # samples.csv could not hold them
        f"{file!a} is not a UTF-8 name; rename it"
        for file in files
        if file.encode(errors="ignore").decode() != file
    ] + [
        f"{name!a} has a control character in its name; rename it"
        for name in (folder.name, *files)
        if CONTROL.search(name)
    ]
    if not files and not names:
        return [f"'{folder}' holds no image; add images or remove the folder"]
    formats = [
        f"'{base / file}' has an unsupported format; convert it to PNG or JPEG"
        for file in files
        if file.lower().endswith(UNSUPPORTED)
    ]
    return names + formats
