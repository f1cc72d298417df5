"""Everything that the report is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from foldwise.files.card import Card
from foldwise.files.comparison import Architecture, Comparison, Confused, Mistakes
from foldwise.files.verdict import Verdict
from foldwise.report.pipeline import Step


@dataclass(frozen=True)
class ReportInputs:
    """What compare found, and what it was made with.

    Attributes:
        comparison: Best architecture first.
        verdict: The choice, and every step to it.
        confused: Classes that the chosen one confuses.
        mistakes: Their pictures.
        scores: The table of SCORES.
        curves: The table of CURVES.
        classes: The table of CLASSES.
        confusion: The table of CONFUSION.
        cards: Of each architecture, by name.
        params: params.yaml as it is, but for its comments.
        pipeline: The stages of dvc.yaml.
    """

    comparison: Comparison
    verdict: Verdict
    confused: Confused
    mistakes: Mistakes
    scores: pd.DataFrame
    curves: pd.DataFrame
    classes: pd.DataFrame
    confusion: pd.DataFrame
    cards: Mapping[str, Card]
    params: str
    pipeline: Sequence[Step]

    @property
    def class_names(self) -> list[str]:
        """The classes of the data, in their order."""
        return self.cards[self.comparison.design.models[0]].classes

    @property
    def finished(self) -> list[Architecture]:
        """The architectures that have scores, best first."""
        return [one for one in self.comparison.architectures if one.scores is not None]
