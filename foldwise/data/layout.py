"""The meaning of folders: classes, or parts of the data set that hold the classes."""

import unicodedata
from collections import Counter, defaultdict
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from foldwise.core.errors import InputError, first_few
from foldwise.data.listing import Listing, is_visible
from foldwise.data.parts import TEST, TRAIN, VALIDATION, part_roles


class Part(NamedTuple):
    """A folder of class folders.

    Attributes:
        path: Relative to the root; "" if there are no parts.
        is_test: Whether its images are held out.
    """

    path: str
    is_test: bool = False


class ClassFolder(NamedTuple):
    """A folder of one class; `label` is the name of the class, None if it is in test parts only."""

    path: str
    label: str | None
    is_test: bool


def find_parts(base: Path, listing: Listing) -> list[Part]:
    """Return the parts, those of training first, or only the root if it holds the classes.

    Raises:
        InputError: If neither is clear, or the folders in a part are hardly classes.
    """
    parts = _named_parts(base, listing) or [Part("")]
    for part in parts:
        _require_different(base, listing, part.path)
    return parts


def _named_parts(base: Path, listing: Listing) -> list[Part]:
    """Return the folders with names of parts, or none if the folders are classes."""
    names = _folders(base)
    roles = part_roles(names)
    nested = [name for name in names if _is_nested(listing, name)]
    likely = [name for name in nested if name in roles and len(listing.subfolders[name]) > 1]
    if names and len(roles) == len(names):
        parts = [Part(_inner(base, listing, name), roles[name] == TEST) for name in names]
        order = (TRAIN, VALIDATION, TEST)
        parts.sort(key=lambda part: order.index(roles[part.path.split("/")[0]]))
        if parts[0].is_test:
            raise InputError(
                f"prepare.root is '{base}' with the folders {', '.join(names)}, of which none is "
                "for training; add train, or name a folder of class folders"
            )
        return [part for part in parts if _folders(base / part.path)] or parts[:1]
    if likely:
        raise InputError(
            f"prepare.root is '{base}', where {first_few(likely)} look like parts of the data set "
            f"and {first_few([name for name in names if name not in roles])} not; move the latter "
            "elsewhere, or rename the former if all are classes"
        )
    return []


def _is_nested(listing: Listing, path: str) -> bool:
    """Return whether a folder has no images itself, but in its sub-folders."""
    return not listing.has_images(path) and bool(listing.subfolders[path])


def _inner(base: Path, listing: Listing, name: str) -> str:
    """Return name/name if a part holds only that, as archives are often unpacked."""
    twice = f"{name}/{name}"
    is_alone = _folders(base / name) == [name]
    return twice if is_alone and _is_nested(listing, twice) else name


def _require_different(base: Path, listing: Listing, path: str) -> None:
    """Refuse folders that hold the same folders: they are parts, patients or versions.

    Some may lack some of these, because not every patient has every class: either at least half
    of the folders are complete, or there are twice as many folders as names in them.
    """
    names = [f"{path}/{name}".lstrip("/") for name in _folders(base / path)]
    if len(names) < 2 or not all(_is_nested(listing, name) for name in names):
        return
    inner = [{normal(name).casefold() for name in listing.subfolders[path]} for path in names]
    every, counts = set.union(*inner), Counter(chain.from_iterable(inner))
    n_complete = sum(each == every for each in inner)
    n_shared = sum(n > 1 for n in counts.values())
    are_alike = n_shared == len(every) and 2 * n_complete >= len(names)
    if n_shared < 2 or not (are_alike or 2 * len(every) <= len(names)):
        return
    shared, first = first_few(sorted(every)), names[0].rpartition("/")[2]
    is_part = len(part_roles(every)) == len(every)
    remedy = (
        f"put {shared} above the classes"
        if is_part
        else f"if {shared} are the classes, name one of these folders as prepare.root, or move the "
        rf"classes above them: CLASS/{first}/*, where prepare.groups: '/([^/]+)/' then keeps "
        f"{first} together; otherwise list files and labels in a table (prepare.dataset: table)"
    )
    raise InputError(
        f"prepare.root is '{base}', whose folders {first_few(names)} hold no images themselves, "
        f"but folders of the same names, {shared}; {remedy}"
    )


def _folders(base: Path) -> list[str]:
    return sorted(path.name for path in base.iterdir() if path.is_dir() and is_visible(path.name))


def normal(name: str) -> str:
    """Return a name as other systems than macOS write its accents."""
    return unicodedata.normalize("NFC", name)


def match_classes(base: Path, parts: list[Part]) -> tuple[list[str], list[ClassFolder]]:
    """Return the names of the classes, sorted, and all class folders in the order of the parts."""
    classes: dict[str, None] = {}
    folders: list[ClassFolder] = []
    for part in parts:
        earlier: dict[str, list[str]] = defaultdict(list)
        for known in classes:
            earlier[known.casefold()].append(known)
        for name in _folders(base / part.path):
            label = _same_class(normal(name), earlier)
            if label is None and not part.is_test:
                label = normal(name)
                classes[label] = None
            folders.append(ClassFolder(f"{part.path}/{name}".lstrip("/"), label, part.is_test))
    if len(classes) < 2:
        training = " and ".join(f"'{base / part.path}'" for part in parts if not part.is_test)
        name = f", '{next(iter(classes))}'" if classes else ""
        raise InputError(
            f"prepare.root: {training} holds {len(classes)} class folders{name}; expected at least "
            "2: add one folder of images per class, name the folder above or below, or list files "
            "and labels in a table (prepare.dataset: table)"
        )
    return sorted(classes), folders


def test_subfolders(listing: Listing, folder: str) -> list[str]:
    """Return the folders in a class folder, at any depth, whose names say that they are tests."""
    own = folder.rpartition("/")[2]  # cat/cat_test is a test set, too
    return [
        f"{path}/{name}"
        for path, inner in listing.subfolders.items()
        if f"{path}/".startswith(f"{folder}/")
        for name, role in part_roles({own, *inner}).items()
        if role == TEST and name in inner
    ]


def _same_class(name: str, classes: dict[str, list[str]]) -> str | None:
    """Return the class of another part with this name; upper and lower case may differ.

    Args:
        name: The name of a folder.
        classes: The classes of earlier parts by their names in lower case.
    """
    same = classes.get(name.casefold(), [])
    return name if name in same else same[0] if len(same) == 1 else None
