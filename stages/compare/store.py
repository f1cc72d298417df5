"""All that compare writes."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from stages.contracts.comparison import Comparison, write_comparison
from stages.contracts.confused import Confused, write_confused
from stages.contracts.tables import CLASSES, CONFUSION, CURVES, SCORES, write_table
from stages.contracts.verdict import Metrics, Verdict, write_verdict


class Findings(NamedTuple):
    """One attribute a file: comparison.json, verdict.json, metrics.json, scores.csv and so on."""

    comparison: Comparison
    verdict: Verdict
    metrics: Metrics
    confused: Confused
    scores: pd.DataFrame
    curves: pd.DataFrame
    classes: pd.DataFrame
    confusion: pd.DataFrame


def write_findings(folder: Path, findings: Findings) -> None:
    """Write the eight files of a comparison."""
    write_comparison(folder, findings.comparison)
    write_verdict(folder, findings.verdict, findings.metrics)
    write_confused(folder, findings.confused)
    write_table(folder / "scores.csv", findings.scores, SCORES)
    write_table(folder / "curves.csv", findings.curves, CURVES)
    write_table(folder / "classes.csv", findings.classes, CLASSES)
    write_table(folder / "confusion.csv", findings.confusion, CONFUSION)
