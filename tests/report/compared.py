"""The inputs of the report, made by the real compare."""

import io
import shutil
import sys
from pathlib import Path

import pandas as pd
from dataset_info import info_of
from PIL import Image

sys.path.append(str(Path(__file__).parents[1] / "selection"))  # records.py, the factory of both

from records import flags as compare_flags

from foldwise.files.base import read_json, write_json
from foldwise.files.comparison import Comparison, Confused, Mistakes
from foldwise.files.inspection import (
    LABELS,
    MOST_SHOWN,
    NEAR_DUPLICATES,
    CheckedCounts,
    Inspection,
    LabelCounts,
    MissingClass,
    PairCounts,
    write_inspection,
)
from foldwise.files.tuning import TriedRate, Tuning, write_tuning
from foldwise.report.inputs import read_report_inputs
from stages.compare import main as compare

SUMMARY = "Layer     Output shape    Parameters\n=====\n├─Conv2d  [1, 4, 8, 8]    900\n"
TUNING = Tuning(
    learning_rate=0.004,
    source="the best of 3 with 20 steps each",
    steps=20,
    n_images=100,
    tried=[
        TriedRate(learning_rate=0.001, loss=1.5, standard_error=0.1, accuracy=0.4),
        TriedRate(learning_rate=0.004, loss=1.2, standard_error=0.0, accuracy=0.5),
        TriedRate(learning_rate=0.016, loss=None, standard_error=None, accuracy=None),
    ],
)


def read_all(flags):
    params, reports = map(Path, flags[1::2])
    return read_report_inputs(reports, params)


def compared(root):
    """Compare the records in a folder, add the files of other stages, and return report's flags."""
    reports = root / "reports"
    compare(compare_flags(root, "reports"))
    shutil.copytree(root / "models", reports / "models", dirs_exist_ok=True)
    for card in reports.glob("models/*/card.json"):
        card.with_name("summary.txt").write_text(SUMMARY)
    for name in read_json(reports / "comparison.json", Comparison).design.models:
        write_tuning(reports / "tuning" / f"{name}.json", TUNING)
    draw_sheets(reports)
    draw_mistakes(reports)
    inspect(reports)
    return ["--params", str(root / "params.yaml"), "--reports", str(reports)]


def draw_sheets(reports):
    for repeat in range(3):
        (reports / "contact_sheets" / str(repeat)).mkdir(parents=True, exist_ok=True)
        (reports / "contact_sheets" / str(repeat) / "0.png").write_bytes(picture())


def draw_mistakes(reports):
    pairs = read_json(reports / "confused.json", Confused).pairs
    strips = [len(pair.examples) for pair in pairs]
    write_json(reports / "mistakes" / "strips.json", Mistakes(strips=strips))
    for at in range(len(strips)):
        (reports / "mistakes" / f"{at}.png").write_bytes(picture())


def inspect(reports, n_pairs=2, n_labels=3, **changes):
    """Write reports/inspection, as the stage inspect does."""
    info = info_of(["cat", "dog", "bird"], (8, 8, 1), 300, 60, **changes)
    folder = reports / "inspection"
    pairs = [["a.png", "b.png", "cat", "dog", "different folds"]] * n_pairs
    labels = [["c.png", "cat", "dog", 0.9, 0.05]] * n_labels
    tables = {
        "near_duplicates": pd.DataFrame(pairs, columns=[*NEAR_DUPLICATES]),
        "labels": pd.DataFrame(labels, columns=[*LABELS]),
    }
    pair_counts = PairCounts(
        pairs=n_pairs,
        other_labels=n_pairs,
        train_and_test=0,
        different_folds=n_pairs,
        mode="report",
    )
    label_counts = LabelCounts(images=n_labels, checked=300)
    inspection = Inspection(
        dataset=info,
        class_images=[120, 80, 100],
        fold_sizes=[[60] * 5],
        missing=[MissingClass(repeat=0, fold=1, label="bird")],
        near_duplicates=pair_counts,
        labels=label_counts,
    )
    write_inspection(folder, inspection, CheckedCounts(runs=[]), tables)
    for name, n in (("pair", n_pairs), ("label", n_labels)):
        for at in range(min(n, MOST_SHOWN)):
            (folder / f"{name}-{at}.png").write_bytes(picture())


def picture():
    png = io.BytesIO()
    Image.new("L", (32, 8), 128).save(png, "PNG")
    return png.getvalue()
