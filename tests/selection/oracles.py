"""Published comparisons over 10 × 10 folds, as mean and spread of the differences."""

import csv
from pathlib import Path

import pytest

from foldwise.selection.statistics import Sample

FOLDER = Path(__file__).parents[3] / "shared" / "oracles"
COLUMNS = {
    "sk_rbf_linear": ("rbf", "linear"),
    "anneal_aode_nbc_percent": ("aode", "nbc"),
    "audiology_aode_nbc_percent": ("aode", "nbc"),
}
PUBLISHED = {
    "sk_rbf_linear": Sample(0.01, 0.03829708431025352, 100, 10),
    "anneal_aode_nbc_percent": Sample(1.93882, 1.5827027029927656, 100, 10),
    "audiology_aode_nbc_percent": Sample(0.26089, 1.514421841175801, 100, 10),
}


def differences(name):
    """Return first − second on each fold."""
    if not FOLDER.is_dir():
        pytest.skip(f"needs {FOLDER}")
    first, second = COLUMNS[name]
    with (FOLDER / f"{name}.csv").open() as lines:
        return [float(row[first]) - float(row[second]) for row in csv.DictReader(lines)]
