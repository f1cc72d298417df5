"""Write the report of a comparison: Markdown for a pull request, one HTML file, and figures."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.report")

from collections.abc import Sequence

from foldwise.core.atomic import write_text
from foldwise.core.fonts import font_hint
from foldwise.core.process import parse_options
from foldwise.report.inputs import read_report_inputs
from foldwise.report.pages import (
    architectures_markdown,
    draw_figures,
    png_picture,
    report_markdown,
    svg_picture,
    to_html,
)
from foldwise.run.guard import run_stage


def main(argv: Sequence[str] | None = None) -> None:
    """Write report.md, report.html, architectures.md and figures/*.svg."""
    args = parse_options("report", __doc__, argv, "params reports")
    folder = args.reports
    inputs = read_report_inputs(folder, args.params)
    figures = {f"figures/{name}.svg": figure for name, figure in draw_figures(inputs).items()}
    embedded = {path: svg_picture(figure) for path, figure in figures.items()}
    markdown = report_markdown(inputs)
    page = to_html(markdown, lambda path: embedded.get(path) or png_picture(folder / path))
    for path, figure in figures.items():
        write_text(folder / path, figure.light)
    write_text(folder / "architectures.md", architectures_markdown(inputs))
    write_text(folder / "report.md", markdown)
    write_text(folder / "report.html", page)
    chosen = inputs.verdict.chosen or "no architecture"
    n = len(inputs.cards)
    page_file, hint = folder / "report.html", font_hint(inputs.class_names)
    print(f"report: {chosen} of {n} in {len(figures)} figures -> {page_file}{hint}")


if __name__ == "__main__":
    run_stage(main)
