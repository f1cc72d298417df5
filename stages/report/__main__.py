"""Show a comparison: one page for a pull request, its figures, and one of architectures."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from stages.contracts.card import read_card
from stages.contracts.command import run
from stages.contracts.comparison import read_comparison, read_curves, read_scores
from stages.contracts.json_file import write_text
from stages.report.architectures_page import architectures_page
from stages.report.document import document
from stages.report.figures import cost, curves, scores
from stages.report.figures.style import as_svg


def main(argv: Sequence[str] | None = None) -> None:
    """Write report.md, architectures.md and figures/*.svg."""
    parser = argparse.ArgumentParser(prog="python -m stages.report", description=__doc__)
    for flag in ("--comparison", "--scores", "--curves", "--models", "--output"):
        parser.add_argument(flag, type=Path, required=True)
    given = parser.parse_args(argv)
    found = read_comparison(given.comparison)
    folds, epochs = read_scores(given.scores), read_curves(given.curves)
    cards = {model: read_card(given.models / model) for model in found.design.models}
    figures = given.output / "figures"
    write_text(figures / "scores.svg", as_svg(lambda: scores.draw(found, folds)))
    write_text(figures / "curves.svg", as_svg(lambda: curves.draw(found, epochs)))
    write_text(figures / "cost.svg", as_svg(lambda: cost.draw(found)))
    page = architectures_page(list(cards.values()))
    write_text(given.output / "architectures.md", page)
    write_text(given.output / "report.md", document(found, folds, epochs, cards))
    chosen = found.verdict.chosen or "no architecture"
    n = len(found.architectures)
    print(f"report: {chosen} of {n} in 3 figures -> {given.output / 'report.md'}")


if __name__ == "__main__":
    run(main)
