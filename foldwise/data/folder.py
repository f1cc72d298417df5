"""A folder of class folders: root/CLASS/*, or root/train/CLASS/* and root/test/CLASS/*."""

from pathlib import Path

import numpy as np
from PIL import Image

from foldwise.core.errors import InputError
from foldwise.data.source import ImageSource

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
UNREAD = (".avif", ".heic", ".heif", ".jp2", ".jxl")  # named, or a class would lose images unseen
# PIL goes by content: without this list an EPS file named .jpg would run Ghostscript.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
OFFICIAL = ["test", "train"]
PARTS = frozenset((*OFFICIAL, "val", "valid", "validation"))


def open_folder(root: str) -> ImageSource:
    """List the images of each class folder, whatever lies deeper in it included.

    Sub-folders `train` and `test` and no other are the official parts, with the same class
    folders in each. Names are sorted by code point: the same order on every machine. Hidden
    files, files that are no images and files outside the class folders are ignored.

    Raises:
        InputError: If there is no such folder, fewer than two classes, a class without images,
            a class that only `test` knows, an image of a format that is not read, or a name that
            is not UTF-8.
    """
    base = Path(root)
    _require_folder(base)
    names = [folder.name for folder in _folders(base)]
    parts = OFFICIAL[::-1] if names == OFFICIAL else [""]
    if names != OFFICIAL and names and PARTS.issuperset(names):
        raise InputError(
            f"prepare.root is '{root}' with the folders {', '.join(names)}; expected a folder for "
            "each class, or train and test only: rename or merge the parts"
        )
    classes = _classes(base / parts[0])
    listed = [(part, *image) for part in parts for image in _images(base, part, classes)]
    files = [file for _, file, _ in listed]
    return ImageSource(
        root=root,
        classes=classes,
        files=files,
        labels=np.array([label for _, _, label in listed], dtype=np.int64),
        is_test=np.array([part == "test" for part, _, _ in listed], dtype=np.bool_),
        is_published=False,
        load=lambda index: Image.open(base / files[index], formats=FORMATS),
    )


def _require_folder(base: Path) -> None:
    if not base.exists():
        raise InputError(
            f"prepare.root is '{base}', which does not exist; put a folder of images for each "
            "class there, or name another folder"
        )
    if not base.is_dir():
        raise InputError(f"prepare.root is '{base}', which is no folder; name the folder above it")


def _folders(base: Path) -> list[Path]:
    folders = [path for path in base.iterdir() if path.is_dir() and path.name[0] != "."]
    return sorted(folders, key=lambda path: path.name)


def _classes(base: Path) -> list[str]:
    classes = [folder.name for folder in _folders(base)]
    if not classes:
        raise InputError(
            f"prepare.root: '{base}' holds no class folder; put a folder of images for each class "
            "there"
        )
    if len(classes) == 1:
        raise InputError(
            f"prepare.root: '{base}' holds one class folder, '{classes[0]}'; expected at least "
            "two: add a class, or name the folder above its classes"
        )
    return classes


def _images(base: Path, part: str, classes: list[str]) -> list[tuple[str, int]]:
    """Return the path below the root and the label of every image of one part."""
    problems: list[str] = []
    images: list[tuple[str, int]] = []
    for folder in _folders(base / part):
        files = _files(base, folder)
        problems += _problems(base, folder, files, classes)
        if not problems:
            images += [(file, classes.index(folder.name)) for file in files]
    if problems:
        raise InputError("\n".join(problems))
    return images


def _files(base: Path, folder: Path) -> list[str]:
    found = (
        path.relative_to(base)
        for path in folder.rglob("*")
        if path.name.lower().endswith(ENDINGS + UNREAD) and not path.is_dir()
    )
    return sorted(path.as_posix() for path in found if not _is_hidden(path))


def _problems(base: Path, folder: Path, files: list[str], classes: list[str]) -> list[str]:
    """Return a line for each thing that is wrong with a class folder and its files."""
    if folder.name not in classes:
        return [f"'{folder}' is a class that train does not have; add or remove it"]
    if not files:
        return [f"'{folder}' holds no image; add images or remove the folder"]
    names = [f"{file!a} is no UTF-8 name; rename it" for file in files if not _is_utf8(file)]
    formats = [
        f"'{base / file}' is of a format that is not read; convert it to PNG or JPEG"
        for file in files
        if file.lower().endswith(UNREAD)
    ]
    return names + formats


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _is_utf8(name: str) -> bool:
    """Whether samples.csv can hold the name."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
