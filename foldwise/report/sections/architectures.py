"""The architectures, best first: what they reach, how they learn, and what they cost."""

from collections.abc import Callable

from foldwise.files.comparison import Architecture, Cost
from foldwise.report.blocks import Block, Bullets, Details, Line, Paragraph, Section, Strong, Table
from foldwise.report.findings import ReportInputs
from foldwise.report.numbers import NONE, score, seconds, short, size

_MEMORY = ("memory", "predicted")


def architectures(findings: ReportInputs) -> Section:
    """Return a table that fits a pull request, and folded away those with more numbers."""
    design = findings.comparison.design
    label = design.decides.label
    header = ("architecture", "diagnosis", f"mean {label}", "std", "stability rank")
    return Section(
        "Architectures",
        [
            _table(
                findings,
                "What each reaches and costs, best first",
                (*header, "s / epoch", "parameters"),
                _main,
                n_text=2,
            ),
            Paragraph(
                f"Mean {label} over {design.text} ± half its corrected {design.percent} interval, "
                "and the standard deviation of single folds. Folds share training images, so the "
                "interval is wider than std / √folds would make it (Nadeau and Bengio, 2003). The "
                "most stable has rank 1."
            ),
            *_failed(findings),
            _more(findings),
        ],
    )


def named(findings: ReportInputs, name: str) -> Line:
    """Return the name of an architecture; the chosen one says so in words, too."""
    return (Strong(name), " (chosen)") if name == findings.verdict.chosen else name


def _table(
    findings: ReportInputs,
    caption: str,
    header: tuple[str, ...],
    cells: Callable[[Architecture], list[str]],
    n_text: int = 1,
) -> Table:
    rows = [[named(findings, one.name), *cells(one)] for one in findings.comparison.architectures]
    return Table(caption, header, rows, n_text)


def _main(one: Architecture) -> list[str]:
    if one.scores is None or one.cost is None:
        return [one.diagnosis.fit, "failed", NONE, NONE, NONE, short(one.parameters)]
    return [
        one.diagnosis.fit,
        one.scores.text,
        score(one.scores.std),
        str(one.scores.stability_rank),
        seconds(one.cost.seconds_per_epoch),
        short(one.parameters),
    ]


def _failed(findings: ReportInputs) -> list[Block]:
    failed = [one for one in findings.comparison.architectures if one.reason is not None]
    if not failed:
        return []
    lines = [(Strong(one.name), f" {one.reason}.") for one in failed]
    return [
        Paragraph("An architecture of which a fold diverged has no score at all:"),
        Bullets(lines),
    ]


def _more(findings: ReportInputs) -> Details:
    with_parts = any(one.scores and one.scores.parts for one in findings.finished)
    parts = ("of the folds", "of the initial weights") if with_parts else ()
    return Details(
        "Range, variance, total time, multiply-adds and memory",
        [
            _table(
                findings,
                "Spread over single folds",
                ("architecture", "lowest", "highest", "variance", *parts),
                lambda one: _spread(one, with_parts=with_parts),
            ),
            _table(
                findings,
                "Cost",
                ("architecture", "total s", "images / s", "parameters", "multiply-adds", *_MEMORY),
                _cost,
            ),
            Paragraph(
                "Seconds an epoch and images a second are of training steps, total seconds of all "
                "folds with evaluation and start; multiply-adds are of one image. What a part that "
                "never trains made of the images was computed once before, and is not in the "
                "seconds. Memory is that of one process that trains: the median of the peaks of "
                "the folds, and what build predicts of the network, in float32 on a CPU."
            ),
        ],
    )


def _spread(one: Architecture, *, with_parts: bool) -> list[str]:
    scores = one.scores
    if scores is None:
        return [NONE] * (5 if with_parts else 3)
    cells = [score(scores.min), score(scores.max), f"{scores.variance:.2e}"]
    if with_parts:
        parts = (scores.parts.fold, scores.parts.initialisation) if scores.parts else ()
        cells += [f"{part:.2e}" for part in parts] or [NONE, NONE]
    return cells


def _cost(one: Architecture) -> list[str]:
    clock, peak = [NONE, NONE], NONE
    if one.cost is not None:
        clock = [seconds(one.cost.total_seconds), f"{one.cost.images_per_second:,.0f}"]
        peak = _peak(one.cost)
    predicted = size(one.predicted_memory_bytes)
    return [*clock, f"{one.parameters:,}", f"{one.macs:,}", peak, predicted]


def _peak(cost: Cost) -> str:
    on_gpu = "" if cost.peak_gpu_bytes is None else f" + {size(cost.peak_gpu_bytes)} (GPU)"
    return f"{size(cost.peak_memory_bytes)}{on_gpu}"
