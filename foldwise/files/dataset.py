"""data/prepared: the images as one array, their labels, and facts about the data set."""

import csv
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from foldwise.core.atomic import open_whole
from foldwise.core.errors import InputError, written_file
from foldwise.core.machine import create_npy
from foldwise.files.base import Count, Size, Strict, existing, read_json, write_json

PIXEL_MAX = 255  # of the stored images
RGB = 3  # channels
CROPPED_MUCH = 0.25  # share of an average image


class DecodingFacts(Strict):
    """What decoding the image files left out or changed."""

    # The values that became 0 and 255; null: the files have 8 bits per channel.
    scale: Annotated[list[int], Field(min_length=2, max_length=2)] | None = None
    n_unreadable: Count = 0  # files that were skipped; see unreadable.csv
    n_multipage: Count = 0  # files with further pages or frames, which were not read
    # Height and width of the images in the files, medians; null: they are as prepared.
    file_size: Annotated[list[Size], Field(min_length=2, max_length=2)] | None = None
    cropped_share: Annotated[float, Field(ge=0, le=1)] = 0  # of the area of an average image
    # By the step that made them equal (scale, transparency, crop, size): different images whose
    # prepared pixels are those of an earlier image.
    same_pixels: dict[str, Count] = Field(default_factory=dict)

    @property
    def crop_note(self) -> str:
        """What cropping drops, if it is much, and the remedy; else empty."""
        if self.cropped_share <= CROPPED_MUCH:
            return ""
        percent = f"{100 * self.cropped_share:.0f} %"
        return f"crop drops {percent} of an average image; prepare.resize: pad keeps it"

    @property
    def notes(self) -> list[str]:
        """What decoding left out or changed, in words."""
        texts = []
        if self.n_unreadable:
            texts.append(f"{self.n_unreadable:,} unreadable skipped (listed in unreadable.csv)")
        if self.scale:
            texts.append("values {:,} to {:,} became 0 to 255".format(*self.scale))
        if self.n_multipage:
            texts.append(f"first page only of {self.n_multipage:,} files with several")
        if self.same_pixels:
            steps = ", ".join(f"{step} {n:,}" for step, n in sorted(self.same_pixels.items()))
            texts.append(
                f"{sum(self.same_pixels.values()):,} different images have the pixels of another "
                f"after preparation ({steps}) and stay on its side of a split"
            )
        if self.crop_note:
            texts.append(self.crop_note)
        return texts


class DatasetInfo(Strict):
    """dataset.json: the facts that later stages read without opening an image."""

    name: str
    classes: Annotated[list[str], Field(min_length=2)]  # label i is classes[i]
    height: Size  # pixels
    width: Size  # pixels
    channels: Annotated[int, Field(ge=1, le=8)]
    n_train: Count  # images that are split into folds
    n_test: Count  # images held out, never seen by compare
    official_test: bool  # whether the data set has its own test set, not one drawn by test_fraction
    n_duplicates: Count  # images with the same content as an earlier image
    n_left_out: Count  # training images that are also test images, or have two labels
    n_groups: Count  # groups of images that every split keeps together
    seed: int  # of every random draw downstream
    decoding: DecodingFacts = DecodingFacts()


@dataclass(frozen=True)
class Samples:
    """samples.csv: one row per image, in the order of the arrays, test images last.

    Attributes:
        files: (n,) origin of each image: a path below the root, or part and index.
        labels: (n,) class, 0 .. n_classes - 1.
        groups: (n,) group of each image; a split never separates a group.
        is_test: (n,) whether the image is held out.
        weights: (n,) weight of each image, over 0; None if all count the same.
    """

    files: list[str]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    is_test: NDArray[np.bool_]
    weights: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Dataset:
    """The arrays that training reads.

    Attributes:
        info: dataset.json.
        images: (n, h, w, c) uint8, memory-mapped.
        labels: (n,) int64.
        weights: (n,) float64 weight of each image in the loss; None: all equal.
    """

    info: DatasetInfo
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    weights: NDArray[np.float64] | None = None


class ImageDigests(NamedTuple):
    """digests.npy: 8 bytes of the SHA-256 of the content of each image, as it is in its file.

    The same image has the same digest in every data set, whatever its size as prepared.
    """

    train: NDArray[np.uint64]  # (n_train,), in the order of the arrays
    test: NDArray[np.uint64]  # (n_test,), likewise


NO_IMAGES = np.empty(0, dtype=np.uint64)  # digests
NO_DIGESTS = ImageDigests(NO_IMAGES, NO_IMAGES)


def create_images(folder: Path, shape: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Create images.npy of shape (n, h, w, c), memory-mapped, to be filled in place."""
    return create_npy(folder / "images.npy", np.uint8, shape)


def write_dataset(folder: Path, info: DatasetInfo, samples: Samples) -> None:
    """Write labels.npy, samples.csv, dataset.json and perhaps weights.npy beside images.npy."""
    _save(folder / "labels.npy", samples.labels.astype(np.int64))
    names = ["index", "file", "label", "group", "test"]
    numbers: list[NDArray[Any]] = [samples.labels, samples.groups, samples.is_test.astype(np.int64)]
    (folder / "weights.npy").unlink(missing_ok=True)  # of an earlier table
    if samples.weights is not None:
        names.append("weight")
        numbers.append(samples.weights)
        _save(folder / "weights.npy", samples.weights)
    columns = [column.tolist() for column in numbers]
    with open_whole(folder / "samples.csv") as table:
        # Quoted text, because a carriage return in a file name would end the row.
        rows = csv.writer(table, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        rows.writerow(names)
        rows.writerows(zip(range(len(samples.files)), samples.files, *columns, strict=True))
    write_json(folder / "dataset.json", info)


def write_digests(folder: Path, digests: NDArray[np.uint64]) -> None:
    """Write digests.npy, (n,) in the order of the arrays."""
    _save(folder / "digests.npy", digests)


def _save(path: Path, array: NDArray[Any]) -> None:
    with written_file(path):
        np.save(path, array, allow_pickle=False)


def read_digests(folder: Path) -> ImageDigests:
    """Read digests.npy.

    Raises:
        InputError: If it is missing, or not of the size in dataset.json.
    """
    info, path = read_info(folder), existing(folder / "digests.npy")
    digests = np.load(path, allow_pickle=False)
    if digests.shape != (info.n_train + info.n_test,) or digests.dtype != np.uint64:
        raise InputError(
            f"{path}: {digests.dtype} of shape {digests.shape} does not fit dataset.json with "
            f"{info.n_train + info.n_test} images; run 'dvc repro -f prepare' to write it again"
        )
    return ImageDigests(digests[: info.n_train], digests[info.n_train :])


def write_unreadable(folder: Path, reasons: dict[str, str]) -> None:
    """Write unreadable.csv: the files that were skipped, and why."""
    with open_whole(folder / "unreadable.csv") as table:
        rows = csv.writer(table, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        rows.writerow(["file", "reason"])
        rows.writerows(reasons.items())


def read_info(folder: Path) -> DatasetInfo:
    """Read dataset.json."""
    return read_json(folder / "dataset.json", DatasetInfo)


def read_dataset(folder: Path) -> Dataset:
    """Read the data set; the images stay on disk until they are accessed.

    Raises:
        InputError: If a file is missing, or the arrays are not of the size in dataset.json.
    """
    info = read_info(folder)
    images = np.load(existing(folder / "images.npy"), mmap_mode="r", allow_pickle=False)
    labels = np.load(existing(folder / "labels.npy"), allow_pickle=False)
    n = info.n_train + info.n_test
    path = folder / "weights.npy"
    weights = np.load(path, allow_pickle=False) if path.exists() else None
    expected = {
        "images": (images, (n, info.height, info.width, info.channels)),
        "labels": (labels, (n,)),
        "weights": (weights, (n,)),
    }
    for name, (values, shape) in expected.items():
        if values is not None and values.shape != shape:
            raise InputError(
                f"{folder}: {name} of shape {values.shape} do not fit dataset.json with {n} "
                "images; run 'dvc repro -f prepare' to write them again"
            )
    return Dataset(info, images, labels, weights)


def read_samples(folder: Path) -> Samples:
    """Read samples.csv.

    Raises:
        InputError: If it is missing.
    """
    files: list[str] = []
    numbers = array("q")  # 24 bytes per image; a list of rows takes 600
    weights = array("d")
    with existing(folder / "samples.csv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            files.append(row["file"])
            numbers.extend((int(row["label"]), int(row["group"]), int(row["test"])))
            if "weight" in row:
                weights.append(float(row["weight"]))
    labels, groups, is_test = np.array(numbers, dtype=np.int64).reshape(-1, 3).T
    return Samples(files, labels, groups, is_test == 1, np.array(weights) if weights else None)
