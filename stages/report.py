"""Show a comparison: a page for a pull request, the same as one file, and its charts."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from foldwise.core.atomic import write_text
from foldwise.core.errors import run_main
from foldwise.report.architectures_page import architectures_page
from foldwise.report.blocks import figures
from foldwise.report.document import document
from foldwise.report.embed import Picture, chart, png
from foldwise.report.figures.style import as_svg
from foldwise.report.markdown import to_markdown
from foldwise.report.page import to_html
from foldwise.report.sections.pictures import charts
from foldwise.report.store import read_picture, read_report_inputs


def main(argv: Sequence[str] | None = None) -> None:
    """Write report.md, report.html, architectures.md and figures/*.svg."""
    parser = argparse.ArgumentParser(prog="python -m foldwise.report", description=__doc__)
    for flag in ("--params", "--pipeline", "--reports"):
        parser.add_argument(flag, type=Path, required=True)
    given = parser.parse_args(argv)
    folder = given.reports
    findings = read_report_inputs(folder, given.params, given.pipeline)
    page, drawn = document(findings), dict[str, Picture]()
    for one in charts(findings):
        light = as_svg(one.draw)
        write_text(folder / one.shown.path, light)
        drawn[one.shown.path] = chart(light, as_svg(one.draw, dark=True))
    others = [figure.path for figure in figures(page.blocks) if figure.path not in drawn]
    drawn |= {path: png(read_picture(folder / path)) for path in others}
    cards = list(findings.cards.values())
    write_text(folder / "architectures.md", to_markdown(architectures_page(cards)))
    write_text(folder / "report.md", to_markdown(page))
    write_text(folder / "report.html", to_html(page, drawn))
    chosen = findings.verdict.chosen or "no architecture"
    print(f"report: {chosen} of {len(cards)} in {len(drawn)} figures -> {folder / 'report.html'}")


if __name__ == "__main__":
    run_main(main)
