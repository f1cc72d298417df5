"""data/prepared: the images as one array, their labels, and what is known of them."""

import csv
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from foldwise.core.atomic import open_whole
from foldwise.core.errors import InputError
from foldwise.files.base import Count, Size, Strict, read_json, write_json


class DatasetInfo(Strict):
    """dataset.json: all that later stages know of the data without opening an image."""

    name: str
    classes: Annotated[list[str], Field(min_length=2)]  # label i is classes[i]
    height: Size  # pixels
    width: Size  # pixels
    channels: Annotated[int, Field(ge=1, le=8)]
    n_train: Count  # images that are split into folds
    n_test: Count  # images held out, never seen by compare
    official_test: bool  # the data set's own test set, or one drawn by test_fraction
    n_duplicates: Count  # images that repeat an earlier one, pixel by pixel
    n_left_out: Count  # training images left out: also test images, or under two labels
    n_groups: Count  # groups that stay on one side of every split
    seed: int  # of every random draw downstream


@dataclass(frozen=True)
class Samples:
    """samples.csv: one row an image, in the order of the arrays, test images last.

    Attributes:
        files: (n,) where each image came from: a path below the root, or part and index.
        labels: (n,) class, 0 .. n_classes - 1.
        groups: (n,) images of one group never lie on two sides of a split.
        is_test: (n,) whether the image is held out.
    """

    files: list[str]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    is_test: NDArray[np.bool_]


@dataclass(frozen=True)
class Dataset:
    """The arrays that training reads.

    Attributes:
        info: dataset.json.
        images: (n, h, w, c) uint8, memory-mapped.
        labels: (n,) int64.
    """

    info: DatasetInfo
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


def create_images(folder: Path, shape: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Make images.npy of shape (n, h, w, c), memory-mapped, to be filled in place."""
    folder.mkdir(parents=True, exist_ok=True)
    return np.lib.format.open_memmap(folder / "images.npy", mode="w+", dtype=np.uint8, shape=shape)


def write_dataset(folder: Path, info: DatasetInfo, samples: Samples) -> None:
    """Write labels.npy, samples.csv and dataset.json beside images.npy."""
    np.save(folder / "labels.npy", samples.labels.astype(np.int64), allow_pickle=False)
    columns = zip(samples.files, samples.labels, samples.groups, samples.is_test, strict=True)
    with open_whole(folder / "samples.csv") as table:
        # Text is quoted always: unquoted, a carriage return in a file name would end the row.
        rows = csv.writer(table, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        rows.writerow(["index", "file", "label", "group", "test"])
        for index, (file, label, group, is_test) in enumerate(columns):
            rows.writerow([index, file, int(label), int(group), int(is_test)])
    write_json(folder / "dataset.json", info)


def read_info(folder: Path) -> DatasetInfo:
    """Read dataset.json."""
    return read_json(folder / "dataset.json", DatasetInfo)


def read_dataset(folder: Path) -> Dataset:
    """Read what training needs; the images stay on disk until they are touched.

    Raises:
        InputError: If a file is missing, or the arrays are not of the size in dataset.json.
    """
    info = read_info(folder)
    images = np.load(_existing(folder / "images.npy"), mmap_mode="r", allow_pickle=False)
    labels = np.load(_existing(folder / "labels.npy"), allow_pickle=False)
    n = info.n_train + info.n_test
    if images.shape != (n, info.height, info.width, info.channels) or labels.shape != (n,):
        raise InputError(
            f"{folder}: images {images.shape} and labels {labels.shape} do not fit dataset.json "
            f"with {n} images; run 'dvc repro -f prepare' to make them anew"
        )
    return Dataset(info, images, labels)


def read_samples(folder: Path) -> Samples:
    """Read samples.csv.

    Raises:
        InputError: If it is missing.
    """
    files: list[str] = []
    numbers = array("q")  # a list of rows would take 600 bytes an image, this takes 24
    with _existing(folder / "samples.csv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            files.append(row["file"])
            numbers.extend((int(row["label"]), int(row["group"]), int(row["test"])))
    labels, groups, is_test = np.array(numbers, dtype=np.int64).reshape(-1, 3).T
    return Samples(files, labels, groups, is_test == 1)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise InputError(f"{path} is missing; run 'dvc repro' to make it")
    return path
