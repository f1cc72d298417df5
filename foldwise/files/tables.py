"""reports/*.csv: folds, epochs, classes and confusions, for the report and DVC's plots."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from foldwise.core.atomic import write_text
from foldwise.core.errors import InputError
from foldwise.files.base import existing
from foldwise.files.verdict import METRICS

Columns = Mapping[str, str]

FOLD = {"model": "str", "repeat": "int64", "fold": "int64"}
SCORES = {  # scores.csv: one row per model, repeat and fold; no numbers if it diverged
    **FOLD,
    "score": "float64",  # the metric that decides
    **dict.fromkeys(map(str, METRICS), "float64"),
    "train_accuracy": "float64",  # of the last epoch, in eval mode
    "seconds_per_epoch": "float64",
}
CURVES = {  # curves.csv: one row per epoch of a fold, up to the last with finite losses
    **FOLD,
    "epoch": "int64",
    "train_loss": "float64",  # nats
    "train_accuracy": "float64",
    "validation_loss": "float64",  # nats
    "validation_accuracy": "float64",
}
CLASSES = {  # classes.csv: one row per finished architecture and class, over all folds
    "model": "str",
    "class": "str",
    "images": "int64",  # of the class, once per repeat
    "recall": "float64",  # empty: the class has no image
    "precision": "float64",  # empty: the class is never predicted
}
CONFUSION = {  # confusion.csv: confusion matrix of the chosen architecture, over all folds
    "true": "str",  # class
    "predicted": "str",  # class
    "images": "int64",
    "share": "float64",  # of the images of the true class
}
TABLES = {"scores": SCORES, "curves": CURVES, "classes": CLASSES, "confusion": CONFUSION}


FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet runs cells that begin with one of these
QUOTE = "'"  # before such a text, and before a text that begins with it


def write_table(path: Path, table: pd.DataFrame, columns: Columns) -> None:
    """Write every digit of a number; a missing one is an empty cell.

    A text that a spreadsheet would run as a formula gets a quote in front.
    """
    cells = {name: table[name].map(_quote) for name in columns if columns[name] == "str"}
    text = table.assign(**cells)[list(columns)].to_csv(index=False, lineterminator="\n")
    write_text(path, text)


def _quote(text: str) -> str:
    return QUOTE + text if text.startswith((*FORMULA, QUOTE)) else text


def read_table(path: Path, columns: Columns) -> pd.DataFrame:
    """Read a table of these columns.

    Raises:
        InputError: If it is missing, lacks columns, or has cells of another type.
    """
    numbers = {name: [""] for name, kind in columns.items() if kind == "float64"}
    source = existing(path)
    try:
        table = pd.read_csv(
            source,
            dtype=dict(columns),
            usecols=list(columns),
            keep_default_na=False,  # an architecture may be called "null"
            na_values=numbers,
        )
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: {reason}; delete it and run 'dvc repro'") from None
    texts = [name for name in columns if columns[name] == "str"]
    return table.assign(**{name: table[name].str.removeprefix(QUOTE) for name in texts})
