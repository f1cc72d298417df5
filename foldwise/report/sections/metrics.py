"""Every metric of every architecture, beside what one gets without looking."""

from collections.abc import Mapping

from foldwise.files.verdict import METRICS, MetricName, metric
from foldwise.report.blocks import Line, Paragraph, Section, Table
from foldwise.report.findings import ReportInputs
from foldwise.report.numbers import score
from foldwise.report.sections.architectures import named


def metrics(findings: ReportInputs) -> Section | None:
    """Return the table; None: no architecture finished."""
    baseline, design = findings.comparison.baseline, findings.comparison.design
    if baseline is None:
        return None
    largest = findings.class_names[baseline.label]
    rows: list[list[Line]] = [
        [named(findings, one.name), *_cells(one.metrics or {})] for one in findings.finished
    ]
    rows.append([f"always “{largest}”", *_cells(baseline.metrics)])
    labels = [_label(name, design.top_k) for name in METRICS]
    return Section(
        "Other metrics",
        [
            Table("Means over the folds; ↓: lower is better", ("architecture", *labels), rows),
            Paragraph(
                f"The {design.decides.label} decides. The last row is what saying the largest "
                "class of every image gets; an architecture that is not clearly better has "
                "learned nothing."
            ),
        ],
    )


def _label(name: MetricName, top_k: int) -> str:
    found = metric(name, top_k)
    return found.label if found.higher_is_better else f"{found.label} ↓"


def _cells(values: Mapping[MetricName, float]) -> list[str]:
    return [score(values.get(name)) for name in METRICS]
