"""What `make bench` trains: small enough to repeat, large enough to tell."""

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.case import Case

FASHION = Case("FashionMNIST", Path("none"), "FashionMNIST", "lenet5", 6000, 3, 0.1)
CIFAR = Case("folder", Path("none"), "CIFAR10", "lenet5", 5000, 3, 0.125)
DIGITS = Case("digits", Path("data/raw"), "digits", "lenet5", 1400, 10, 0.1)
QUICK = replace(DIGITS, images=200, epochs=1)
LARGER: dict[str, Any] = {"model": "slim_vgg", "images": 2000, "epochs": 2}
TOGETHER = ("lenet5", "slim_vgg")
SIZES = {"FashionMNIST": (1000, 10_000, 60_000), "digits": (200, 1400)}  # images
WEIGHED = ("slim_vgg", "vgg_resnet", "resnet18")  # of which the share of the peak is taken


def races(data: Path, folder: Path) -> list[Case]:
    """Return the races: of the digits where the two larger data sets are not at hand.

    Args:
        data: Folder with fashion-mnist/*.gz and cifar10-jpg.zip, or without.
        folder: Where to unpack the latter.
    """
    found = []
    if (data / "fashion-mnist").is_dir():
        found.append(replace(FASHION, root=data / "fashion-mnist"))
    if (data / "cifar10-jpg.zip").is_file():
        found.append(replace(CIFAR, root=_unpacked(data / "cifar10-jpg.zip", folder)))
    if not found:
        return [DIGITS, replace(DIGITS, model="slim_vgg")]
    # The larger network takes fewer images.
    return [one for case in found for one in (case, replace(case, **LARGER))]


def weighed(some: Case) -> list[Case]:
    """Return the networks whose share of the peak is taken, on the images of a case."""
    return [replace(some, **LARGER | {"model": model}) for model in WEIGHED]


def started() -> list[Case]:
    """Return those of which a process is timed: one of our networks, one of torchvision's."""
    return [QUICK, replace(QUICK, model="resnet18")]


def growing(entered: list[Case]) -> list[Case]:
    """Return cases with more and more images.

    Args:
        entered: Races, of whose data sets one is taken, or else the digits.
    """
    some = next((one for one in entered if one.data in SIZES), DIGITS)
    return [replace(some, images=images, epochs=1) for images in SIZES[some.data]]


def _unpacked(archive: Path, folder: Path) -> Path:
    """Return the folder with the training part of an archive of class folders."""
    target = folder / archive.stem
    if not target.is_dir():
        partial = target.with_name(f"{target.name}.partial")
        with zipfile.ZipFile(archive) as file:
            file.extractall(partial, [name for name in file.namelist() if "train/" in name])
        partial.rename(target)
    return target / "train"
