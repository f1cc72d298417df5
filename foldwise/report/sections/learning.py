"""How each architecture learns: where it starts, where it ends, and which way it still goes."""

from foldwise.files.comparison import Architecture, Diagnosis
from foldwise.report.blocks import Bullets, Line, Paragraph, Section, Strong, Table
from foldwise.report.findings import ReportInputs
from foldwise.report.numbers import NONE, change, score
from foldwise.report.sections.architectures import named

HEADER = ("architecture", "diagnosis", "start", "train", "train − validation", "slope / epoch")


def learning(findings: ReportInputs) -> Section:
    """Return the diagnosis of each with its numbers and what they mean."""
    rows: list[list[Line]] = [
        [named(findings, one.name), one.diagnosis.fit, *_cells(one.diagnosis)]
        for one in findings.comparison.architectures
    ]
    return Section(
        "How they learn",
        [
            Table("Accuracy over the epochs, means over the folds", HEADER, rows, n_text=2),
            Paragraph(_potential(findings)),
            Bullets([_evidence(one) for one in findings.comparison.architectures]),
        ],
    )


def _cells(diagnosis: Diagnosis) -> list[str]:
    return [
        _ranked(score(diagnosis.start), diagnosis.start_rank),
        score(diagnosis.train_accuracy),
        change(diagnosis.gap),
        _ranked(change(diagnosis.slope), diagnosis.potential_rank),
    ]


def _ranked(number: str, rank: int | None) -> str:
    return number if rank is None or number == NONE else f"{number} ({rank}.)"


def _evidence(one: Architecture) -> Line:
    return Strong(one.name), f", {one.diagnosis.fit}: {one.diagnosis.evidence}."


def _potential(findings: ReportInputs) -> str:
    """Return who starts highest and who still rises fastest, and what the columns are."""
    what = (
        "Start is the validation accuracy after the first epoch, slope its rise per epoch over "
        "the last third, train the accuracy on training images after the last epoch."
    )
    if findings.comparison.design.epochs == 1:
        return f"{what} A single epoch shows no trend."
    every = [(one.name, one.diagnosis) for one in findings.comparison.architectures]
    start = ", ".join(name for name, said in every if said.start_rank == 1)
    steepest = ", ".join(name for name, said in every if said.potential_rank == 1)
    if not start or not steepest:
        return what
    return f"{what} Highest start: {start}. Greatest potential, by its slope: {steepest}."
