"""Show a comparison: a page for a pull request, the same as one file, and its charts."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from stages.contracts.command import run
from stages.contracts.json_file import write_text
from stages.report.architectures_page import architectures_page
from stages.report.blocks import figures
from stages.report.document import document
from stages.report.embed import Picture, chart, png
from stages.report.figures.style import as_svg
from stages.report.markdown import to_markdown
from stages.report.page import to_html
from stages.report.sections.pictures import charts
from stages.report.store import read_findings, read_picture


def main(argv: Sequence[str] | None = None) -> None:
    """Write report.md, report.html, architectures.md and figures/*.svg."""
    parser = argparse.ArgumentParser(prog="python -m stages.report", description=__doc__)
    for flag in ("--params", "--pipeline", "--reports"):
        parser.add_argument(flag, type=Path, required=True)
    given = parser.parse_args(argv)
    folder = given.reports
    findings = read_findings(folder, given.params, given.pipeline)
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
    run(main)
