"""What was compared, on what, with which reservations, and where to read more."""

from collections.abc import Sequence

from foldwise.files.card import Card
from foldwise.files.fold_record import Machine
from foldwise.report.blocks import (
    Bullets,
    CodeBlock,
    Details,
    Line,
    Link,
    Paragraph,
    Section,
    Strong,
    present,
)
from foldwise.report.findings import ReportInputs
from foldwise.report.numbers import some

PAGE = "architectures.md"
SHOWN_CLASSES = 20  # more would push everything else off the page


def design(findings: ReportInputs) -> Section:
    """Return the design, the machines, cautions of weights, the networks, and the parameters."""
    plan = findings.comparison.design
    facts = [
        f"{some(plan.n_images, 'image')} of {_classes(findings.class_names)}",
        f"{plan.text}, the same for all{_splits(findings)}",
        f"{some(plan.epochs, 'epoch')} each; the score is that of the last epoch",
        plan.detectable.text,
        *map(_machine, findings.comparison.machines),
    ]
    return Section(
        "What was compared",
        present(
            Bullets(facts),
            _warning(findings.comparison.machines),
            Paragraph(("Networks, side by side in ", Link(PAGE, PAGE), ":")),
            Bullets([_network(findings.cards[model]) for model in plan.models]),
            _cautions(findings),
            Details("Parameters", [CodeBlock("params.yaml", "yaml", findings.params)]),
        ),
    )


def _splits(findings: ReportInputs) -> str:
    plan = findings.comparison.design
    if len(plan.repeats) == 1:
        return ""
    return "; each repeat with folds of its own" if plan.resplit else "; the same folds each time"


def _classes(classes: Sequence[str]) -> str:
    shown = ", ".join(classes[:SHOWN_CLASSES])
    return f"{len(classes)} classes: {shown}{', …' if len(classes) > SHOWN_CLASSES else ''}"


def _machine(machine: Machine) -> str:
    versions = ", ".join(f"{name} {machine.versions[name]}" for name in sorted(machine.versions))
    threads = some(machine.threads, "thread")
    device = machine.cpu if machine.device == "cpu" else f"{machine.device}, {machine.cpu}"
    return f"trained on {device}, {threads}, {machine.precision}; {versions}"


def _warning(machines: Sequence[Machine]) -> Paragraph | None:
    if len(machines) < 2:
        return None
    said = (
        " the folds were trained on machines or versions that differ. Seconds do not compare "
        "between them, and scores may differ by more than the architecture."
    )
    return Paragraph((Strong("Warning:"), said))


def _network(card: Card) -> Line:
    shape = "×".join(map(str, card.input_shape))
    weights = f", weights {card.weights}" if card.loaded else ""
    said = f": {card.title}; input {shape}, {card.policy}{weights}; "
    return Strong(card.name), said, Link("layers", f"models/{card.name}/summary.txt")


def _cautions(findings: ReportInputs) -> Bullets | None:
    lines = [
        (Strong("Caution"), f", {model}: {caution}")
        for model in findings.comparison.design.models
        for caution in findings.cards[model].cautions
    ]
    return Bullets(lines) if lines else None
