"""The report: the verdict first, then what it rests on."""

from stages.report.blocks import Document, Paragraph, present
from stages.report.findings import Findings
from stages.report.sections.architectures import architectures
from stages.report.sections.classes import classes
from stages.report.sections.design import design
from stages.report.sections.folds import folds
from stages.report.sections.learning import learning
from stages.report.sections.metrics import metrics
from stages.report.sections.next_steps import next_steps
from stages.report.sections.pairs import pairs
from stages.report.sections.pictures import pictures
from stages.report.sections.stages import stages
from stages.report.sections.training_images import training_images
from stages.report.sections.why import why


def document(findings: Findings) -> Document:
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
