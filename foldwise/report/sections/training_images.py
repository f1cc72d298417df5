"""What the networks trained on: the contact sheet of the first fold, and where the others are."""

from foldwise.report.blocks import Bullets, Details, Figure, Link, Section, present
from foldwise.report.findings import ReportInputs

FOLDER = "contact_sheets"  # of the stage augment, beside the report


def training_images(findings: ReportInputs) -> Section:
    """Return the first sheet as a picture and a link to each of the others."""
    design = findings.comparison.design
    first, *others = [(repeat, fold) for repeat in design.repeats for fold in design.folds]
    links = [Link(_name(*sheet), _path(*sheet)) for sheet in others]
    return Section(
        "Training images",
        present(
            Figure(
                _path(*first),
                f"Augmented training images of {_name(*first)}",
                f"Training images of {_name(*first)}, augmented as in training; every fold draws "
                "its own.",
            ),
            Details("Those of the other folds", [Bullets(links)]) if links else None,
        ),
    )


def _name(repeat: int, fold: int) -> str:
    return f"repeat {repeat} fold {fold}"


def _path(repeat: int, fold: int) -> str:
    return f"{FOLDER}/{repeat}/{fold}.png"
