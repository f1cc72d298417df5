"""Text in the labels of a Mermaid flowchart, which GitHub draws."""

import re

# Also what begins a list: "1. " and "- ".
_UNSAFE = re.compile(r"[^A-Za-z0-9 .,:()/×…·_-]|:(?=fa-)|^[-0-9. ]*[-.](?= )")
SEEN = "\\$:"


def quoted(text: str) -> str:
    """Return text that shows as it is in a label: no markup, no end of the label or the block."""
    return _UNSAFE.sub(lambda found: _codes(found[0]), " ".join(text.split()))


def _codes(text: str) -> str:
    # Mermaid sees even through codes: \n ends a line, $$ begins a formula, fa:fa- a picture. Not
    # with a space of no width, 8203, between.
    return "".join(f"#{ord(one)};{'#8203;' if one in SEEN else ''}" for one in text)
