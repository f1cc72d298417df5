"""The report: the verdict first, then what it rests on."""

from foldwise.report.blocks import Document, Paragraph, present
from foldwise.report.findings import ReportInputs
from foldwise.report.sections.architectures import architectures
from foldwise.report.sections.classes import classes
from foldwise.report.sections.design import design
from foldwise.report.sections.folds import folds
from foldwise.report.sections.learning import learning
from foldwise.report.sections.metrics import metrics
from foldwise.report.sections.next_steps import next_steps
from foldwise.report.sections.pairs import pairs
from foldwise.report.sections.pictures import pictures
from foldwise.report.sections.stages import stages
from foldwise.report.sections.training_images import training_images
from foldwise.report.sections.why import why


def document(findings: ReportInputs) -> Document:
    """Return the whole report; its links are relative to the folder `reports`."""
    verdict = findings.verdict
    return Document(
        f"Take {verdict.chosen}" if verdict.chosen else "No architecture to take",
        present(
            Paragraph(verdict.text),
            architectures(findings),
            why(findings),
            pictures(findings),
            pairs(findings),
            metrics(findings),
            classes(findings),
            learning(findings),
            next_steps(findings),
            training_images(findings),
            folds(findings),
            design(findings),
            stages(findings),
        ),
    )
