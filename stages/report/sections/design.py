"""What was compared, on what, with which reservations, and where to read more."""

from collections.abc import Mapping
from urllib.parse import quote

from stages.contracts.card import Card
from stages.contracts.comparison import Comparison
from stages.contracts.fold_record import Machine
from stages.report.markdown import bullets, escape, section

SHOWN_CLASSES = 20  # more would push everything else off the page


def design(comparison: Comparison, cards: Mapping[str, Card]) -> str:
    """Return the design, the machines, cautions of weights, and a link to each network.

    Args:
        comparison: What compare found.
        cards: Of each architecture, by name.
    """
    plan = comparison.design
    facts = [
        f"{plan.n_images:,} images of {_classes(cards[plan.models[0]].classes)}",
        f"{plan.text}, the same for all",
        f"{plan.epochs} epoch{'s' if plan.epochs > 1 else ''} each; "
        "the score is that of the last epoch",
        *(_machine(machine) for machine in comparison.machines),
    ]
    networks = [_network(cards[model]) for model in plan.models]
    cautions = [
        f"**caution**, {escape(model)}: {escape(caution)}"
        for model in plan.models
        for caution in cards[model].cautions
    ]
    return section(
        "What was compared",
        bullets(facts),
        bullets(cautions),
        _warning(comparison),
        "Networks, side by side in [architectures.md](architectures.md):",
        bullets(networks),
    )


def _classes(classes: list[str]) -> str:
    shown = ", ".join(map(escape, classes[:SHOWN_CLASSES]))
    return f"{len(classes)} classes: {shown}{', …' if len(classes) > SHOWN_CLASSES else ''}"


def _machine(machine: Machine) -> str:
    threads = f"{machine.threads} thread{'s' if machine.threads > 1 else ''}"
    device, version = escape(machine.device), escape(machine.torch)
    return f"trained on {device}, {threads}, {machine.precision}, torch {version}"


def _warning(comparison: Comparison) -> str:
    if len(comparison.machines) < 2:
        return ""
    return (
        "**Warning:** the folds were trained on machines or versions that differ. Seconds do not "
        "compare between them, and accuracies may differ by more than the architecture."
    )


def _network(card: Card) -> str:
    shape = "×".join(map(str, card.input_shape))
    link = f"[layers](models/{quote(card.name, safe='')}/summary.txt)"
    weights = f", weights {escape(card.weights)}" if card.loaded else ""
    return (
        f"{escape(card.name)}: {escape(card.title)}; input {shape}, {escape(card.policy)}"
        f"{weights}; {link}"
    )
