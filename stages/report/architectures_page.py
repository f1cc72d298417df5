"""architectures.md: what each architecture weighs, where it is from, and how it is built."""

from collections.abc import Iterator, Sequence

from stages.contracts.card import Card, Loaded
from stages.report.diagram import diagram
from stages.report.markdown import bullets, escape, section, table, unbroken

HEADER = (
    "architecture",
    "weights",
    "parameters",
    "trained",
    "locked",
    "multiply-adds",
    "activations",
    "smallest image",
    "downsampling",
)


def architectures_page(cards: Sequence[Card]) -> str:
    """Return the page in Markdown: all in one table, then one section with a diagram each.

    Args:
        cards: In the order in which they are shown.
    """
    parts = [
        "# Architectures",
        table([*map(unbroken, HEADER)], [_row(card) for card in cards], n_text=2),
        "Trained parameters are those that train in some epoch; locked ones never do. "
        "Multiply-adds and activations, the outputs of all layers in float32, are of one image. "
        "Downsampling is how many pixels a side become one before what is left is pooled.",
        "Diagrams show the parts in the order in which they run, each with the shape of what "
        "comes out of it for one image. What is blue is frozen and never trains; what is yellow "
        "begins to train in a later epoch; what is grey takes no part in evaluation, or is a "
        "parameter outside of any layer.",
        *(_section(card) for card in cards),
    ]
    return "\n\n".join(parts) + "\n"


def _row(card: Card) -> list[str]:
    side, factor = card.smallest_side, card.downsampling
    sources = dict.fromkeys(loaded.source for loaded in card.loaded)
    return [
        escape(card.name),
        ", ".join(map(escape, sources)) or "scratch",
        f"{card.parameters:,}",
        f"{card.trainable_parameters:,}",
        f"{card.locked_parameters:,}",
        f"{card.multiply_adds:,}",
        unbroken(f"{card.activation_bytes / 1e6:,.2f} MB"),
        unbroken("certain sizes") if side is None else f"{side}×{side}",
        "–" if factor is None else str(factor),
    ]


def _section(card: Card) -> str:
    shape = "×".join(map(str, card.input_shape))
    facts = [
        f"input {shape}, {len(card.classes)} classes",
        f"policy: {escape(card.policy)}",
        *(_loaded(loaded) for loaded in card.loaded),
        *(f"**caution:** {escape(caution)}" for caution in card.cautions),
    ]
    return section(escape(card.name), escape(card.title), bullets(facts), diagram(card))


def _loaded(loaded: Loaded) -> str:
    into = f" into {escape(loaded.into)}" if loaded.into else ""
    found = "; ".join(_found(loaded))
    return f"weights{into}: {escape(loaded.source)}, SHA-256 {loaded.sha256}; {found}"


def _found(loaded: Loaded) -> Iterator[str]:
    yield f"{loaded.matched} tensors match"
    for what, names in (("missing", loaded.missing), ("left over", loaded.left_over)):
        if names:
            yield f"{len(names)} {what}"
