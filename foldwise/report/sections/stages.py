"""The pipeline that made the report."""

from collections.abc import Iterator, Sequence

from foldwise.report.blocks import Bullets, Drawing, Line, Paragraph, Section, Strong
from foldwise.report.diagram import quoted
from foldwise.report.findings import ReportInputs
from foldwise.report.pipeline import Step


def stages(findings: ReportInputs) -> Section:
    """Return the stages as a diagram, or as a list where none can be drawn."""
    steps = findings.pipeline
    intro = (
        "The stages of dvc.yaml, each once. Whatever changes, only the stages after it run again."
    )
    drawing = Drawing("\n".join(_mermaid(steps)), Bullets([_said(step) for step in steps]))
    return Section("How it was made", [Paragraph(intro), drawing])


def _mermaid(steps: Sequence[Step]) -> Iterator[str]:
    yield "flowchart TB"
    numbers = {step.name: f"n{number}" for number, step in enumerate(steps)}
    for step in steps:
        yield f'{numbers[step.name]}["{quoted(step.name)}"]'
    for step in steps:
        yield from (f"{numbers[before]} --> {numbers[step.name]}" for before in step.after)


def _said(step: Step) -> Line:
    after = f" After {' and '.join(step.after)}." if step.after else ""
    return Strong(step.name), f": {step.question}{after}"
