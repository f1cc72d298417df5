"""The classes that the chosen architecture finds hard, and what it takes them for."""

import pandas as pd

from foldwise.files.comparison import ConfusedPair, Strip
from foldwise.report.blocks import Block, Details, Figure, Paragraph, Section, Table
from foldwise.report.findings import ReportInputs
from foldwise.report.numbers import NONE, percent, some

FOLDED = 10  # more classes than this are folded away, but for the weakest
WEAKEST = 5
FOLDER = "mistakes"  # of the stage of that name, beside the report
HEADER = ("class", "images", "recall", "precision")


def classes(findings: ReportInputs) -> Section | None:
    """Return recall of the chosen one, weakest first, and its mistakes; None: none is chosen."""
    chosen = findings.verdict.chosen
    if chosen is None:
        return None
    own = findings.classes[findings.classes["model"] == chosen]
    ranked = own.sort_values(["recall", "class"], na_position="last", kind="stable")
    return Section(f"Classes, as {chosen} sees them", [*_recall(ranked), *_mistakes(findings)])


def _recall(ranked: pd.DataFrame) -> list[Block]:
    rows = [
        [name, f"{images:,}", _share(recall), _share(precision)]
        for name, images, recall, precision in zip(
            *(ranked[column] for column in HEADER), strict=True
        )
    ]
    if len(rows) <= FOLDED:
        return [Table("Recall of each class, weakest first", HEADER, rows)]
    return [
        Table(f"The {WEAKEST} classes with the lowest recall", HEADER, rows[:WEAKEST]),
        Details(f"All {len(rows)} classes", [Table("Weakest first", HEADER, rows)]),
    ]


def _share(value: float) -> str:
    return NONE if pd.isna(value) else percent(value)


def _mistakes(findings: ReportInputs) -> list[Block]:
    pairs = findings.confused.pairs
    if not pairs:
        return [Paragraph("No image was taken for another class.")]
    shown = [
        _pair(pair, strip) for pair, strip in zip(pairs, findings.mistakes.strips, strict=True)
    ]
    return [Section("What is taken for what, most images first", shown)]


def _pair(pair: ConfusedPair, strip: Strip) -> Block:
    # Quotes, since a class may be called "3" and stand beside a number.
    verb, taken = "is" if pair.images == 1 else "are", f"taken for “{pair.predicted}”"
    said = f"{some(pair.images, 'image')} of “{pair.true}” ({percent(pair.share)}) {verb} {taken}"
    if not strip.shown:
        return Paragraph(f"{said}.")
    alt = f"{some(strip.shown, 'image')} of “{pair.true}” {taken}"
    return Figure(f"{FOLDER}/{strip.file}", alt, f"{said}{_surest(pair, strip)}.")


def _surest(pair: ConfusedPair, strip: Strip) -> str:
    if strip.shown >= pair.images:
        return ""
    return "; the surest is shown" if strip.shown == 1 else f"; the {strip.shown} surest are shown"
