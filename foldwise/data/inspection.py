"""Facts of a data set and its folds, and where near-duplicates lie."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from foldwise.data.near_duplicates import Pairs
from foldwise.data.pictures import image_strip
from foldwise.files.dataset import Dataset, DatasetInfo, Samples
from foldwise.files.inspection import (
    MOST_SHOWN,
    Inspection,
    LabelCounts,
    MissingClass,
    PairCounts,
)
from foldwise.files.preparation import NearDuplicates
from foldwise.files.split import Split

TRAIN_TEST, FOLDS, SAME = "train and test", "different folds", "same side"


def describe(
    dataset: Dataset,
    splits: Mapping[int, Split],
    pairs: pd.DataFrame,
    labels: LabelCounts,
    mode: NearDuplicates,
) -> Inspection:
    """Return the facts of a data set.

    Args:
        dataset: The data set.
        splits: Folds of each repeat.
        pairs: The table of near-duplicates, as from `pair_table`.
        labels: What is known of labels that look wrong.
        mode: prepare.near_duplicates.
    """
    info, n = dataset.info, dataset.info.n_train
    class_images = np.bincount(dataset.labels[:n], minlength=len(info.classes))
    return Inspection(
        dataset=info,
        class_images=class_images.tolist(),
        fold_sizes=[np.bincount(split.fold[:n]).tolist() for split in splits.values()],
        missing=_missing_classes(splits, dataset.labels, info.classes),
        near_duplicates=_count_pairs(pairs, mode),
        labels=labels,
    )


def sort_pairs(
    pairs: Pairs, samples: Samples, splits: Mapping[int, Split]
) -> tuple[Pairs, NDArray[np.str_]]:
    """Return pairs of images, those that matter most first, and where each pair lies.

    First come pairs with two labels or in both train and test, then those in different folds.

    Args:
        pairs: (m, 2) positions of the images.
        samples: The table of all images.
        splits: Folds of each repeat.
    """
    first, second = pairs.T
    is_split = np.array([split.fold[first] != split.fold[second] for split in splits.values()])
    crosses = samples.is_test[first] != samples.is_test[second]
    place = np.where(crosses, TRAIN_TEST, np.where(is_split.any(axis=0), FOLDS, SAME))
    is_first = crosses | (samples.labels[first] != samples.labels[second])
    order = np.argsort(np.where(is_first, 0, np.where(place == FOLDS, 1, 2)), kind="stable")
    return pairs[order], place[order]


def pair_table(
    pairs: Pairs, place: NDArray[np.str_], samples: Samples, info: DatasetInfo
) -> pd.DataFrame:
    """Return the table of near-duplicates, one row per pair."""
    table = {}
    for name, positions in zip(("first", "second"), pairs.T, strict=True):
        table[name] = [samples.files[position] for position in positions]
        table[f"{name}_class"] = [info.classes[samples.labels[position]] for position in positions]
    return pd.DataFrame({**table, "place": place})


def save_pictures(
    folder: Path, images: NDArray[np.uint8], strips: Mapping[str, NDArray[np.int64]]
) -> None:
    """Write NAME-0.png, NAME-1.png, ... for the first strips of each name; remove other PNGs.

    Args:
        folder: Where to write.
        images: (n, h, w, c).
        strips: By name, one row of positions of images for each strip.
    """
    for stale in folder.glob("*.png"):
        stale.unlink()
    for name, rows in strips.items():
        for number, row in enumerate(rows[:MOST_SHOWN]):
            image_strip(images[row]).save(folder / f"{name}-{number}.png", optimize=True)


def _count_pairs(table: pd.DataFrame, mode: NearDuplicates) -> PairCounts:
    return PairCounts(
        pairs=len(table),
        other_labels=int((table["first_class"] != table["second_class"]).sum()),
        train_and_test=int((table["place"] == TRAIN_TEST).sum()),
        different_folds=int((table["place"] == FOLDS).sum()),
        mode=mode,
    )


def _missing_classes(
    splits: Mapping[int, Split], labels: NDArray[np.int64], classes: list[str]
) -> list[MissingClass]:
    return [
        MissingClass(repeat=repeat, fold=fold, label=classes[label])
        for repeat, split in splits.items()
        for fold in range(split.n_folds)
        for label in np.setdiff1d(np.arange(len(classes)), labels[split.fold == fold])
    ]
