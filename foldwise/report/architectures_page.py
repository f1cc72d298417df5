"""architectures.md: what each architecture weighs, where it is from, and how it is built."""

from collections.abc import Iterator, Sequence

from foldwise.files.card import Card, LoadedWeights, MemoryNeed
from foldwise.report.blocks import (
    Bullets,
    Document,
    Line,
    Link,
    Paragraph,
    Section,
    Strong,
    Table,
)
from foldwise.report.numbers import size

HEADER = (
    "architecture",
    "weights",
    "parameters",
    "trained",
    "locked",
    "multiply-adds",
    "activations",
    "smallest image",
    "total stride",
)


def architectures_page(cards: Sequence[Card]) -> Document:
    """Return the page: all in one table, then one section each.

    Args:
        cards: In the order in which they are shown.
    """
    rows = [_row(card) for card in cards]
    return Document(
        "Architectures",
        [
            Table("What each weighs, for one image", HEADER, rows, n_text=2),
            Paragraph(
                "Trained parameters are those that train in some epoch; locked ones never do. "
                "Multiply-adds and activations, the outputs of all layers in float32, are of one "
                "image. Memory to train is predicted, of one process on a CPU in float32. "
                "Total stride is how many pixels a side become one before what is left is "
                "pooled."
            ),
            *map(_section, cards),
        ],
    )


def _row(card: Card) -> list[str]:
    side, factor = card.smallest_side, card.total_stride
    sources = dict.fromkeys(loaded.source for loaded in card.loaded)
    return [
        card.name,
        ", ".join(sources) or "scratch",
        f"{card.parameters:,}",
        f"{card.trainable_parameters:,}",
        f"{card.locked_parameters:,}",
        f"{card.macs:,}",
        f"{card.activation_bytes / 1e6:,.2f} MB",
        "certain sizes" if side is None else f"{side}×{side}",
        "–" if factor is None else str(factor),
    ]


def _section(card: Card) -> Section:
    shape = "×".join(map(str, card.input_shape))
    facts: list[Line] = [
        f"input {shape}, {len(card.classes)} classes",
        f"policy: {card.policy}",
        f"memory to train: {_memory(card.memory)}",
        *(_loaded(loaded) for loaded in card.loaded),
        *((Strong("caution:"), f" {caution}") for caution in card.cautions),
    ]
    layers = Paragraph(Link("its layers", f"models/{card.name}/summary.txt"))
    return Section(card.name, [Paragraph(card.title), Bullets(facts), layers])


def _memory(memory: MemoryNeed) -> str:
    return (
        f"{size(memory.process_bytes)} for Python and its libraries, {size(memory.weight_bytes)} "
        f"for weights, gradients and moments, {size(memory.image_bytes)} an image of a batch"
    )


def _loaded(loaded: LoadedWeights) -> str:
    into = f" into {loaded.layer}" if loaded.layer else ""
    found = "; ".join(_found(loaded))
    return f"weights{into}: {loaded.source}, SHA-256 {loaded.sha256}; {found}"


def _found(loaded: LoadedWeights) -> Iterator[str]:
    yield f"{loaded.matched} tensors match"
    for what, names in (("missing", loaded.missing_keys), ("unexpected", loaded.unexpected_keys)):
        if names:
            yield f"{len(names)} {what}"
