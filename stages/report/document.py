"""report.md: the verdict first, then what it rests on."""

from collections.abc import Mapping

import pandas as pd

from stages.contracts.card import Card
from stages.contracts.comparison import Comparison
from stages.report.markdown import escape
from stages.report.sections.architectures import architectures
from stages.report.sections.design import design
from stages.report.sections.folds import folds
from stages.report.sections.learning import learning
from stages.report.sections.pictures import pictures
from stages.report.sections.training_images import training_images


def document(
    comparison: Comparison,
    scores: pd.DataFrame,
    curves: pd.DataFrame,
    cards: Mapping[str, Card],
) -> str:
    """Return the whole report in Markdown, with links relative to the folder `reports`.

    Args:
        comparison: What compare found.
        scores: One row a fold.
        curves: One row an epoch.
        cards: Of each architecture, by name.
    """
    chosen = comparison.verdict.chosen
    parts = [
        f"# Take {escape(chosen)}" if chosen else "# No architecture to take",
        escape(comparison.verdict.text),
        architectures(comparison),
        pictures(),
        folds(comparison, scores),
        learning(comparison, curves),
        training_images(comparison),
        design(comparison, cards),
    ]
    return "\n\n".join(parts) + "\n"
