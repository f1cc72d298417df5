"""The score of every fold."""

import pandas as pd

from foldwise.report.blocks import Details, Line, Section, Table
from foldwise.report.findings import ReportInputs
from foldwise.report.numbers import score

COLUMNS = 5  # architectures side by side; more make a page wider than a pull request


def folds(findings: ReportInputs) -> Section:
    """Return the tables, folded away: one row a fold, one column an architecture."""
    names = [one.name for one in findings.comparison.architectures]
    label = findings.comparison.design.decides.label
    wide = findings.scores.pivot(index=["repeat", "fold"], columns="model", values="score")
    tables = [
        _table(wide[names[start : start + COLUMNS]], label)
        for start in range(0, len(names), COLUMNS)
    ]
    return Section("Folds", [Details(f"The {label} of every fold", tables)])


def _table(wide: pd.DataFrame, label: str) -> Table:
    rows: list[list[Line]] = [
        [f"repeat {repeat} fold {fold}", *map(_cell, scores)]
        for (repeat, fold), scores in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    return Table(f"{label.capitalize()} after the last epoch", ("fold", *wide.columns), rows)


def _cell(value: float) -> str:
    return "diverged" if pd.isna(value) else score(value)
