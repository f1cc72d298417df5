"""An architecture as a Mermaid flowchart, which GitHub draws."""

import itertools
import re
from collections.abc import Iterator, Sequence

from foldwise.files.card import Card, CardPart

# Colours of text and box together, so that both are read on a light and on a dark page.
STYLES = {
    "frozen": "fill:#cfe2ff,stroke:#3d6ea5,color:#000",
    "thawed": "fill:#fff1c2,stroke:#a07800,color:#000",
    "beside": "fill:#eeeeee,stroke:#777777,color:#000,stroke-dasharray:4 3",
}
FRAME = "fill:transparent,stroke:#777777"
# Boxes as wide as what is in them, close together, and room for the titles of frames.
CONFIG = (
    '%%{init: {"flowchart": {"wrappingWidth": 600, "padding": 8, "rankSpacing": 20, '
    '"nodeSpacing": 20, "subGraphTitleMargin": {"top": 4, "bottom": 8}}}}%%'
)
# Also what begins a list: "1. " and "- ".
_UNSAFE = re.compile(r"[^A-Za-z0-9 .,:()/×…·_-]|:(?=fa-)|^[-0-9. ]*[-.](?= )")
SEEN = "\\$:"

Numbered = tuple[int, CardPart]


def diagram(card: Card) -> str:
    """Return the parts of a network from top to bottom, in Mermaid.

    What was taken from a known network is framed where it is several parts, and named.

    Args:
        card: Its names may be anything.
    """
    chain = [one for one in enumerate(card.parts) if not one[1].beside]
    beside = [one for one in enumerate(card.parts) if one[1].beside]
    steps = list(_by_origin(chain))
    lines = [
        CONFIG,
        "flowchart TB",
        f'image(["image {"×".join(map(str, card.input_shape))}"])',
        *(line for step in steps for line in _step(step)),
        f'classes(["{len(card.classes)} classes"])',
        *_links("-->", ["image", *map(_name, steps), "classes"]),
        *map(_node, beside),
        *_links("~~~", ["classes", *(f"n{number}" for number, _ in beside)]),  # unseen: below it
        *_styles(card.parts),
    ]
    return "\n".join(lines)


def quoted(text: str) -> str:
    """Return text that shows as it is in a label: no markup, no end of the label or the block."""
    return _UNSAFE.sub(lambda found: _codes(found[0]), " ".join(text.split()))


def _codes(text: str) -> str:
    # Mermaid sees even through codes: \n ends a line, $$ begins a formula, fa:fa- a picture. Not
    # with a space of no width, 8203, between.
    return "".join(f"#{ord(one)};{'#8203;' if one in SEEN else ''}" for one in text)


def _by_origin(chain: Sequence[Numbered]) -> Iterator[list[Numbered]]:
    """Yield what is not taken one by one, and the parts of a taken layer together."""

    def key(one: Numbered) -> tuple[str | None, str | int]:
        number, part = one
        return part.source, number if part.source is None else _layer(part)

    for _, parts in itertools.groupby(chain, key):
        yield list(parts)


def _layer(part: CardPart) -> str:
    """Return the layer of the composition of which a part is: the first step of its name."""
    return re.split(r"[.\[]", part.name, maxsplit=1)[0]


def _name(step: Sequence[Numbered]) -> str:
    """Return the frame of several parts, or the box of one; arrows end at either."""
    return f"{'s' if len(step) > 1 else 'n'}{step[0][0]}"


def _step(step: Sequence[Numbered]) -> list[str]:
    if len(step) == 1:
        return [_node(step[0])]
    first, name = step[0][1], _name(step)
    return [
        f'subgraph {name}["{quoted(_origin(first))}"]',
        "direction TB",
        *(_node(one, within=_layer(first)) for one in step),
        *_links("-->", [f"n{number}" for number, _ in step]),
        "end",
        f"style {name} {FRAME}",
    ]


def _node(one: Numbered, within: str = "") -> str:
    """Return a box with the name of a part, what it is, and what comes out of it.

    Args:
        one: The part and its number.
        within: Name of the frame around it, with which its name begins.
    """
    number, part = one
    name = part.name.removeprefix(within).lstrip(".")
    facts = " · ".join(_facts(part))
    title = f"{name} · {part.kind}"
    lines = [title, facts] if part.parameters else [f"{title} · {facts}"]
    if part.source is not None and not within:
        lines.append(_origin(part))
    return f'n{number}["{"<br/>".join(map(quoted, lines))}"]'


def _origin(part: CardPart) -> str:
    weights = f", {part.weights}" if part.weights else ""
    return f"from {part.source}{weights}"


def _facts(part: CardPart) -> Iterator[str]:
    if part.output_shape is not None:
        yield "×".join(map(str, part.output_shape))
    if part.parameters:
        yield f"{part.parameters:,} {_when(part)}"


def _when(part: CardPart) -> str:
    """Return "parameters", and when they train if that is not always."""
    if part.trains_from is None:
        return "frozen"
    since = f", from epoch {part.trains_from}" if part.trains_from > 1 else ""
    locked = part.parameters - part.trainable_parameters
    return f"parameters{since}{f', {locked:,} frozen' if locked else ''}"


def _links(link: str, names: Sequence[str]) -> list[str]:
    return [f"{one} {link} {other}" for one, other in itertools.pairwise(names)]


def _styles(parts: Sequence[CardPart]) -> Iterator[str]:
    found: dict[str, list[str]] = {}
    for number, part in enumerate(parts):
        style = _style(part)
        if style is not None:
            found.setdefault(style, []).append(f"n{number}")
    for style in sorted(found):
        yield f"classDef {style} {STYLES[style]}"
        yield f"class {','.join(found[style])} {style}"


def _style(part: CardPart) -> str | None:
    if part.beside:
        return "beside"
    if not part.parameters or part.trains_from == 1:
        return None
    return "frozen" if part.trains_from is None else "thawed"
