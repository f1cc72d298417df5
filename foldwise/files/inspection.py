"""reports/inspection: facts of the data set, near-duplicates, and labels that look wrong; in git.

Beside inspection.json and counts.json are two tables, and pictures of their first rows: pair-0.png,
... and label-0.png, ...
"""

from pathlib import Path

import pandas as pd

from foldwise.files.base import Count, Strict, write_json
from foldwise.files.dataset import DatasetInfo
from foldwise.files.fold_record import FoldCounts
from foldwise.files.preparation import NearDuplicates
from foldwise.files.tables import write_table

MOST_SHOWN = 20  # rows of each table with a picture

NEAR_DUPLICATES = {  # near_duplicates.csv: one row per pair, those that matter most first
    "first": "str",  # file
    "second": "str",  # file
    "first_class": "str",
    "second_class": "str",
    "place": "str",  # "train and test", "different folds" (in any repeat) or "same side"
}
LABELS = {  # labels.csv: one row per image whose label looks wrong, the most suspicious first
    "file": "str",
    "label": "str",  # its class
    "suggested": "str",  # the class with the highest probability
    "probability": "float64",  # of the suggested class, mean over architectures and repeats
    "label_probability": "float64",  # of the label, likewise
}
TABLES = {"near_duplicates": NEAR_DUPLICATES, "labels": LABELS}


class MissingClass(Strict):
    """A fold whose validation images lack a class."""

    repeat: Count
    fold: Count
    label: str


class PairCounts(Strict):
    """Numbers of pairs of near-duplicates; a pair can count in several."""

    pairs: Count
    other_labels: Count
    train_and_test: Count
    different_folds: Count
    mode: NearDuplicates  # prepare.near_duplicates


class LabelCounts(Strict):
    """Labels that look wrong."""

    images: Count  # whose label looks wrong
    checked: Count  # training images that an architecture has predicted


class RunCounts(Strict):
    """The validation images of one run whose label does not look wrong."""

    model: str
    repeat: Count
    fold: Count
    fold_counts: FoldCounts | None  # without mistakes; None: it diverged, or no image is left


class CheckedCounts(Strict):
    """counts.json: from it, compare decides again without labels that look wrong."""

    runs: list[RunCounts]


class Inspection(Strict):
    """inspection.json."""

    dataset: DatasetInfo
    class_images: list[Count]  # training images of each class
    fold_sizes: list[list[Count]]  # (repeats, folds) validation images
    missing: list[MissingClass]
    near_duplicates: PairCounts
    labels: LabelCounts


def write_inspection(
    folder: Path, inspection: Inspection, counts: CheckedCounts, tables: dict[str, pd.DataFrame]
) -> None:
    """Write inspection.json, counts.json, near_duplicates.csv and labels.csv."""
    write_json(folder / "inspection.json", inspection)
    write_json(folder / "counts.json", counts)
    for name, columns in TABLES.items():
        write_table(folder / f"{name}.csv", tables[name], columns)
