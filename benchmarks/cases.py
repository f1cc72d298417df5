"""The cases of `make bench`: small enough to repeat, large enough for a clear result."""

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
PARALLEL_MODELS = ("lenet5", "slim_vgg")
SIZES = {"FashionMNIST": (1000, 10_000, 60_000), "digits": (200, 1400)}  # images
PEAK_MODELS = ("slim_vgg", "vgg_resnet", "resnet18")  # measured as a share of the peak


def races(data: Path, folder: Path) -> list[Case]:
    """Return the races; without the two larger data sets, on the digits.

    Args:
        data: Folder that may hold fashion-mnist/*.gz and cifar10-jpg.zip.
        folder: Where to unpack the archive.
    """
    cases = []
    if (data / "fashion-mnist").is_dir():
        cases.append(replace(FASHION, root=data / "fashion-mnist"))
    if (data / "cifar10-jpg.zip").is_file():
        cases.append(replace(CIFAR, root=_unpacked(data / "cifar10-jpg.zip", folder)))
    if not cases:
        return [DIGITS, replace(DIGITS, model="slim_vgg")]
    # The larger network takes fewer images.
    return [race for case in cases for race in (case, replace(case, **LARGER))]


def peak_cases(case: Case) -> list[Case]:
    """Return cases for the share of the peak performance, on the images of a case."""
    return [replace(case, **LARGER | {"model": model}) for model in PEAK_MODELS]


def start_cases() -> list[Case]:
    """Return cases for the overhead of a fold: one of our networks and one of torchvision's."""
    return [QUICK, replace(QUICK, model="resnet18")]


def size_cases(races: list[Case]) -> list[Case]:
    """Return cases with ascending numbers of images.

    Args:
        races: Source of the data set; without a suitable one, the digits.
    """
    case = next((race for race in races if race.data in SIZES), DIGITS)
    return [replace(case, images=images, epochs=1) for images in SIZES[case.data]]


def _unpacked(archive: Path, folder: Path) -> Path:
    """Return the folder with the training part of an archive of class folders."""
    target = folder / archive.stem
    if not target.is_dir():
        partial = target.with_name(f"{target.name}.partial")
        with zipfile.ZipFile(archive) as file:
            file.extractall(partial, [name for name in file.namelist() if "train/" in name])
        partial.rename(target)
    return target / "train"
