"""The charts, each with what to look for."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from matplotlib.figure import Figure as Canvas

from foldwise.report.blocks import Figure, Section
from foldwise.report.figures import confusion, curves, pairs, pareto, scores
from foldwise.report.findings import ReportInputs


class Chart(NamedTuple):
    """One chart: how it is drawn, and how it is shown.

    Attributes:
        shown: On the page.
        draw: Makes it.
    """

    shown: Figure
    draw: Callable[[], Canvas]


def pictures(findings: ReportInputs) -> Section:
    """Return the charts that these findings give."""
    return Section("Charts", [chart.shown for chart in charts(findings)])


def charts(findings: ReportInputs) -> Iterator[Chart]:
    """Yield the charts in the order in which they are shown.

    Two architectures have to finish for the matrix of pairs, one for the costs and for the
    confusions of the chosen one.
    """
    found, label = findings.comparison, findings.comparison.design.decides.label
    yield Chart(
        Figure(
            "figures/scores.svg",
            f"{label.capitalize()} of every fold, one row an architecture",
            "Small marks are folds, the large one their mean, the bar one standard deviation to "
            "each side: rows whose marks overlap are hard to tell apart.",
        ),
        partial(scores.draw_scores, found, findings.scores),
    )
    if found.pairs:
        yield Chart(
            Figure(
                "figures/pairs.svg",
                "Probability that the architecture of the row is better than that of the column",
                "Look along the row of the best one: it is surely better only where the "
                "probability is close to 1.",
            ),
            partial(pairs.draw_pairs, found),
        )
    yield Chart(
        Figure(
            "figures/curves.svg",
            "Accuracy and loss of training and validation images over the epochs",
            "A widening gap between dashed (train) and solid (validation) is overfitting, a solid "
            "line that still climbs asks for more epochs, a cross marks where a fold diverged.",
        ),
        partial(curves.draw_curves, found, findings.curves),
    )
    yield from _of_the_chosen(findings)


def _of_the_chosen(findings: ReportInputs) -> Iterator[Chart]:
    chosen = findings.verdict.chosen
    if chosen is None:
        return
    label = findings.comparison.design.decides.label
    yield Chart(
        Figure(
            "figures/pareto.svg",
            f"Mean {label} against cost",
            "Those on the Pareto front have no other that is both better and cheaper.",
        ),
        partial(pareto.draw_pareto, findings.comparison, findings.verdict),
    )
    yield Chart(
        Figure(
            "figures/confusion.svg",
            f"How often {chosen} takes images of one class for another",
            "Blue is right; the stronger the orange of a field, the larger the share of a class "
            "that is taken for another.",
        ),
        partial(confusion.draw_confusion, findings.confusion, findings.class_names, chosen),
    )
