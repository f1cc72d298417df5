"""The visible files in the folder of a data set: which are images, and which are not."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from foldwise.core.errors import counted, first_few
from foldwise.data.image_formats import has_image_ending, is_image

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # also in the escape sequences of a terminal
OF_SYSTEMS = frozenset(  # files and folders that file managers and archives leave behind
    (
        *("__MACOSX", "@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information"),
        *("lost+found", "Thumbs.db", "ehthumbs.db", "desktop.ini", "Icon\r", "__pycache__"),
    )
)


@dataclass
class Listing:
    """The visible files below a folder.

    Attributes:
        images: Images by folder, both relative to the root; "" is the root itself.
        others: Files that are not images, by folder.
    """

    images: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    others: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def has_images(self, path: str) -> bool:
        """Return whether a folder holds images itself."""
        return bool(self.images.get(path))

    @cached_property
    def subfolders(self) -> dict[str, set[str]]:
        """The names of the sub-folders of each folder that hold images at any depth."""
        inner: dict[str, set[str]] = defaultdict(set)
        for folder in self.images:
            names = folder.split("/")
            for depth in range(1, len(names)):
                inner["/".join(names[:depth])].add(names[depth])
        return inner


def list_images(base: Path, files: Iterable[str]) -> Listing:
    """Sort the visible ones of files below a folder into images and others."""
    listing = Listing()
    visible: dict[str, bool] = {}
    for file in files:
        folder, _, name = file.rpartition("/")
        if folder not in visible:
            visible[folder] = all(map(is_visible, folder.split("/")))
        if not visible[folder] or not is_visible(name):
            continue
        is_picture = has_image_ending(name) or is_image(base / file)
        (listing.images if is_picture else listing.others)[folder].append(file)
    return listing


def is_visible(name: str) -> bool:
    """Return whether the name of a file or folder is neither hidden nor of a system."""
    return not name.startswith(".") and name not in OF_SYSTEMS


def other_files(files: Sequence[str]) -> str:
    """Return a text such as "3 other files (2 .txt, 1 without ending)"."""
    endings = Counter(Path(file).suffix.lower() or "without ending" for file in files)
    by_number = sorted(endings.items(), key=lambda item: (-item[1], item[0]))
    kinds = [f"{n:,} {ending}" for ending, n in by_number]
    return f"{counted(len(files), 'other file')} ({first_few(kinds, 5)})"


def is_writable(name: str) -> bool:
    """Return whether samples.csv and a terminal can take a name."""
    return name.encode(errors="ignore").decode() == name and not CONTROL.search(name)
