"""What the report is made of, read from the folder of reports."""

from pathlib import Path

from foldwise.core.errors import InputError
from foldwise.files.card import read_card
from foldwise.files.comparison import (
    Confused,
    Mistakes,
    read_comparison,
    read_confused,
    read_mistakes,
)
from foldwise.files.params import read_yaml
from foldwise.files.tables import CLASSES, CONFUSION, CURVES, SCORES, read_table
from foldwise.files.verdict import read_verdict
from foldwise.report.findings import ReportInputs
from foldwise.report.params_text import params_text
from foldwise.report.pipeline import steps


def read_report_inputs(folder: Path, params: Path, pipeline: Path) -> ReportInputs:
    """Read what compare and mistakes wrote, the cards, params.yaml and dvc.yaml.

    Raises:
        InputError: If a file is missing or wrong, or if two do not belong together.
    """
    comparison, parameters = read_comparison(folder / "comparison.json"), read_yaml(params)
    confused, mistakes = read_confused(folder / "confused.json"), read_mistakes(folder / "mistakes")
    _require_strips(confused, mistakes, str(folder / "mistakes"))
    return ReportInputs(
        comparison=comparison,
        verdict=read_verdict(folder / "verdict.json"),
        confused=confused,
        mistakes=mistakes,
        scores=read_table(folder / "scores.csv", SCORES),
        curves=read_table(folder / "curves.csv", CURVES),
        classes=read_table(folder / "classes.csv", CLASSES),
        confusion=read_table(folder / "confusion.csv", CONFUSION),
        cards={name: read_card(folder / "models" / name) for name in comparison.design.models},
        params=params_text(parameters),
        pipeline=steps(read_yaml(pipeline), parameters),
    )


def read_picture(path: Path) -> bytes:
    """Read a picture that another stage drew.

    Raises:
        InputError: If it is missing.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path} is missing; run 'dvc repro' to make it") from None


def _require_strips(confused: Confused, mistakes: Mistakes, place: str) -> None:
    n, expected = len(mistakes.strips), len(confused.pairs)
    if n != expected:
        raise InputError(
            f"{place}: holds {n} strips of images; expected {expected}, one for each pair of "
            "confused.json; run 'dvc repro' to draw them anew"
        )
