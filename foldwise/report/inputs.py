"""Read everything that the report shows."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from ruamel.yaml import YAML

from foldwise.core.errors import InputError
from foldwise.files.base import existing, read_json, read_yaml
from foldwise.files.comparison import Comparison, Confused, Mistakes
from foldwise.files.inspection import TABLES as INSPECTION_TABLES
from foldwise.files.inspection import Inspection
from foldwise.files.network import Card, read_card
from foldwise.files.tables import TABLES, read_table
from foldwise.files.tuning import Tuning, read_tuning
from foldwise.files.verdict import Verdict

MOST_SHOWN = 10  # architectures in the figures that have more than a line for each


@dataclass(frozen=True)
class ReportInputs:
    """The results of compare, mistakes, inspect and build, and the parameters.

    Attributes:
        comparison: Best architecture first.
        verdict: The choice, and every step of the rule.
        confused: The most confused pairs of classes.
        mistakes: One strip of images for each of these pairs.
        inspection: Facts of the data set.
        near_duplicates: The table of NEAR_DUPLICATES.
        labels: The table of LABELS.
        scores: The table of SCORES.
        curves: The table of CURVES.
        classes: The table of CLASSES.
        confusion: The table of CONFUSION.
        cards: The card of each architecture, by name.
        tunings: The learning rate of each architecture, by name.
        summaries: The layers of each architecture, by name.
        params: params.yaml without its comments.
    """

    comparison: Comparison
    verdict: Verdict
    confused: Confused
    mistakes: Mistakes
    inspection: Inspection
    near_duplicates: pd.DataFrame
    labels: pd.DataFrame
    scores: pd.DataFrame
    curves: pd.DataFrame
    classes: pd.DataFrame
    confusion: pd.DataFrame
    cards: Mapping[str, Card]
    tunings: Mapping[str, Tuning]
    summaries: Mapping[str, str]
    params: str

    @property
    def class_names(self) -> list[str]:
        """The classes of the data set, in their order."""
        return self.cards[self.comparison.design.models[0]].classes

    @property
    def shown(self) -> Comparison:
        """The comparison of the architectures and pairs that fit into a figure.

        These are all up to MOST_SHOWN, else the best and the chosen one.
        """
        every, chosen = self.comparison.architectures, self.verdict.chosen
        shown = [each for at, each in enumerate(every) if at < MOST_SHOWN or each.name == chosen]
        names = {each.name for each in shown}
        pairs = [pair for pair in self.comparison.pairs if {pair.first, pair.second} <= names]
        return self.comparison.model_copy(update={"architectures": shown, "pairs": pairs})


def read_report_inputs(folder: Path, params: Path) -> ReportInputs:
    """Read the folder of reports and params.yaml.

    Raises:
        InputError: If a file is missing or invalid, or if two files do not belong together.
    """
    comparison = read_json(folder / "comparison.json", Comparison)
    models = {name: folder / "models" / name for name in comparison.design.models}
    confused = read_json(folder / "confused.json", Confused)
    mistakes = read_json(folder / "mistakes" / "strips.json", Mistakes)
    _require_strips(confused, mistakes, folder / "mistakes")
    inspected, tables = folder / "inspection", INSPECTION_TABLES
    return ReportInputs(
        comparison=comparison,
        verdict=read_json(folder / "verdict.json", Verdict),
        confused=confused,
        mistakes=mistakes,
        inspection=read_json(inspected / "inspection.json", Inspection),
        **{
            name: read_table(inspected / f"{name}.csv", columns) for name, columns in tables.items()
        },
        **{name: read_table(folder / f"{name}.csv", columns) for name, columns in TABLES.items()},
        cards={name: read_card(path) for name, path in models.items()},
        tunings={name: read_tuning(folder / "tuning" / f"{name}.json") for name in models},
        summaries={name: _summary(path) for name, path in models.items()},
        params=as_yaml(read_yaml(params)),
    )


def _summary(folder: Path) -> str:
    return existing(folder / "summary.txt").read_text(encoding="utf-8").rstrip()


def _require_strips(confused: Confused, mistakes: Mistakes, folder: Path) -> None:
    if mistakes.strips is None:
        return
    n, expected = len(mistakes.strips), len(confused.pairs)
    if n != expected:
        raise InputError(
            f"{folder}: holds {n} strips of images; expected {expected}, one for each pair of "
            "confused.json; run 'dvc repro' to draw them again"
        )


def as_yaml(params: Mapping[str, object]) -> str:
    """Return parameters as YAML, in their order."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 96
    text = io.StringIO()
    yaml.dump(dict(params), text)
    return text.getvalue().rstrip("\n")
