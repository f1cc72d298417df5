"""Images in class folders, with or without parts such as train and test above them."""

import os
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from foldwise.core.errors import InputError, counted, lines_by_reason
from foldwise.data.layout import ClassFolder, Part, find_parts, match_classes, test_subfolders
from foldwise.data.listing import Listing, is_writable, list_images, other_files
from foldwise.data.sources import ImageSource
from foldwise.files.image_folder import list_files


def open_folder(root: str) -> ImageSource:
    """List the images in root/CLASS, or in root/PART/CLASS with parts such as train and test.

    Sub-folders of a class folder are searched, too, which the notes say. Parts for validation
    belong to the training images, because folds are drawn from these. Names are sorted by code
    point, which gives the same order on every machine. Hidden files are ignored; other files that
    are no images of a class are counted in the notes.

    Raises:
        InputError: If the folder is missing, it is not clear what its classes are, there are fewer
            than two, a class has no images, is in a test part only or holds one, a file name is
            not UTF-8, or something in it cannot be read or is neither a file nor a folder.
    """
    base = Path(root)
    require_folder(base)
    listing = list_images(base, list_files(base, allow_links=False))
    parts = find_parts(base, listing)
    classes, folders = match_classes(base, parts)
    images = _by_class_folder(listing.images, [folder.path for folder in folders])
    errors = [error for folder in folders for error in _errors(base, folder, images, listing)]
    if errors:
        raise InputError(lines_by_reason(errors))
    number = {name: label for label, name in enumerate(classes)}
    sizes = [len(images[folder.path]) for folder in folders]
    files = list(chain.from_iterable(images[folder.path] for folder in folders))
    return ImageSource(
        root=root,
        classes=classes,
        files=files,
        labels=np.repeat([number[str(folder.label)] for folder in folders], sizes),
        is_test=np.repeat([folder.is_test for folder in folders], sizes),
        is_published=False,
        load=lambda index: base / files[index],
        notes=(
            *_part_note(parts),
            *_subfolder_note(files, folders),
            *_unused_notes(listing, images[""]),
        ),
    )


def require_folder(base: Path) -> None:
    """Raise an error if prepare.root is not a folder."""
    if not os.access(base, os.F_OK):  # Path.exists raises an error below an unreadable folder
        raise InputError(
            f"prepare.root is '{base}', which does not exist; create it with one folder of images "
            "per class, or name another folder"
        )
    if not base.is_dir():
        raise InputError(f"prepare.root is '{base}', which is a file; name the folder above it")


def _by_class_folder(images: dict[str, list[str]], folders: list[str]) -> dict[str, list[str]]:
    """Return the images of each class folder, sorted; those of no class folder under ""."""
    by_class: dict[str, list[str]] = {folder: [] for folder in ("", *folders)}
    for folder, files in images.items():
        names = folder.split("/")
        above = ("/".join(names[:depth]) for depth in (1, 2, 3))
        by_class[next((path for path in above if path in by_class), "")] += files
    return {folder: sorted(files) for folder, files in by_class.items()}


def _errors(
    base: Path, folder: ClassFolder, images: dict[str, list[str]], listing: Listing
) -> list[tuple[str, str]]:
    """Return the place and reason of each error in a class folder and its files."""
    files = images[folder.path]
    place = f"'{base / folder.path}'"
    if folder.label is None:
        return [(place, "is a class that train does not have; add it there or remove it")]
    if not folder.is_test and (tests := test_subfolders(listing, folder.path)):
        reason = "lies in a class folder, but has the name of a test set; put the parts above the"
        return [(f"'{base / path}'", f"{reason} classes, or rename it") for path in tests]
    names = [  # samples.csv could not hold them
        (f"{name!a}", "has a control character in its name, or is not UTF-8; rename it")
        for name in (folder.path, *files)
        if not is_writable(name)
    ]
    if not files and not names:
        start = f"{folder.path}/"
        others = [
            file
            for path, every in listing.others.items()
            if f"{path}/".startswith(start)
            for file in every
        ]
        only = f", only {other_files(others)}" if others else ""
        return [(place, f"holds no image{only}; add images or remove the folder")]
    return names


def _part_note(parts: list[Part]) -> list[str]:
    """Return what was taken as which part of the data set."""
    if parts == [Part("")]:
        return []
    texts = [
        f"{', '.join(part.path for part in parts if part.is_test is is_test)} as {use} images"
        for is_test, use in ((False, "training"), (True, "test"))
        if any(part.is_test is is_test for part in parts)
    ]
    return [", ".join(texts)]


def _subfolder_note(files: Sequence[str], folders: Sequence[ClassFolder]) -> list[str]:
    paths = {folder.path for folder in folders}
    inner = next((above for file in files if (above := file.rpartition("/")[0]) not in paths), None)
    return [] if inner is None else [f"sub-folders of classes are read, too (such as {inner})"]


def _unused_notes(listing: Listing, loose: Sequence[str]) -> list[str]:
    others = list(chain.from_iterable(listing.others.values()))
    n_loose = counted(len(loose), "image")
    notes = [f"{n_loose} not used, in no class folder (such as {loose[0]})"] if loose else []
    return notes + ([other_files(others)] if others else [])
