"""The slots of candidates in dvc.yaml, and edits of lists in YAML that keep layout and comments.

DVC cannot insert a list into a matrix. A list in dvc.yaml names each candidate by its place:
${candidates[0]} is the first, ${candidates[-1]} the last. DVC drops equal names, so that the slots
0 .. m - 1 and -m .. -1 hold every list of m to 2m names.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, SequenceNode

from foldwise.core.errors import InputError

SLOT = re.compile(r"\$\{\s*candidates\[(-?\d+)\]\s*\}")
LINE_WIDTH = 100  # characters, over which a list in brackets is wrapped


def slots_for(n_names: int) -> list[int]:
    """Return slots that hold so many names, and at least half of them."""
    half = min(n_names, max(2, (n_names + 1) // 2))
    return [*range(half), *range(-half, 0)]


def fewest_and_most(slots: Sequence[int]) -> tuple[int, int]:
    """Return how many names fit into slots, at least and at most."""
    n_from_end = sum(slot < 0 for slot in slots)
    return max(n_from_end, len(slots) - n_from_end), len(slots)


def range_text(slots: Sequence[int]) -> str:
    """Return how many names fit into slots, such as "2 to 4 names"."""
    fewest, most = fewest_and_most(slots)
    return f"{most} names" if fewest == most else f"{fewest} to {most} names"


def candidate_slots(pipeline: Mapping[str, Any], place: str) -> list[int]:
    """Return the slots of candidates in the lists of the stages, such as [-2, -1, 0].

    Args:
        pipeline: What dvc.yaml holds.
        place: That file, as the user wrote it.

    Raises:
        InputError: If a list leaves out a slot, or has others than another list.
    """
    lists = [
        (stage, slots)
        for stage, body in pipeline.get("stages", {}).items()
        for slots in _slot_lists(body)
    ]
    largest = max((slots for _, slots in lists), key=len, default=[])
    n_from_end = sum(slot < 0 for slot in largest)
    expected = [*range(-n_from_end, len(largest) - n_from_end)]
    for stage, slots in lists:
        if slots != expected:
            raise InputError(
                f"{place}: a list of {stage} has the slots {slots} of candidates; expected "
                f"{expected} in every list: 'foldwise candidates NAMES' writes them"
            )
    return largest


def _slot_lists(value: object) -> Iterator[list[int]]:
    """Yield the slots of each template in each list, such as those of data/runs/${candidates[0]}.

    An item of a list is a text or, with options, a mapping whose only key is the text.
    """
    if isinstance(value, dict):
        for part in value.values():
            yield from _slot_lists(part)
    elif isinstance(value, list):
        texts = [str(next(iter(item), "") if isinstance(item, dict) else item) for item in value]
        for template in dict.fromkeys(map(_template, filter(SLOT.search, texts))):
            same = [text for text in texts if _template(text) == template]
            yield sorted({int(slot) for text in same for slot in SLOT.findall(text)})


def _template(text: str) -> str:
    return _fill(text, 0)


def _fill(text: str, slot: int) -> str:
    return SLOT.sub(f"${{candidates[{slot}]}}", text)


def with_slots(text: str, slots: Sequence[int]) -> str:
    """Return the text of dvc.yaml with slots in every list that has slots of candidates.

    Raises:
        InputError: If no list has, or one is written in a form that this cannot edit.
    """

    def fill(bodies: list[str]) -> list[str]:
        filled = [
            [_fill(body, slot) for slot in slots] if SLOT.search(body) else [body]
            for body in bodies
        ]
        return list(dict.fromkeys(body for bodies in filled for body in bodies))

    text = _ended(text)
    lists = [node for node in _sequences(_compose(text)) if _has_slots(node)]
    for node in sorted(lists, key=lambda node: -node.start_mark.index):
        text = _edit(text, node, fill)
    if candidate_slots(YAML(typ="safe").load(text), "dvc.yaml") != sorted(slots):
        raise InputError(
            "dvc.yaml: cannot write slots of candidates; restore it with 'git checkout dvc.yaml'"
        )
    return text


def with_names(text: str, names: Sequence[str]) -> str:
    """Return the text of params.yaml with names as its candidates.

    Raises:
        InputError: If its candidates are no list of names.
    """
    text = _ended(text)
    root = _compose(text)
    pairs = root.value if isinstance(root, MappingNode) else []
    node = next((value for key, value in pairs if key.value == "candidates"), None)
    if not (isinstance(node, SequenceNode) and node.value):
        raise InputError("params.yaml: candidates is no list; write 'candidates: [lenet5]' first")
    values = [item.value for item in node.value]

    def name(bodies: list[str]) -> list[str]:
        known = dict(zip(values, bodies, strict=True))  # as written, such as in quotes
        return [known.get(name, name) for name in names]

    return _edit(text, node, name)


def _ended(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"


def _compose(text: str) -> Node:
    root: Node = YAML(typ="safe", pure=True).compose(text)
    return root


def _sequences(root: Node) -> Iterable[SequenceNode]:
    """Return all sequences, those with aliases once."""
    nodes, seen = [root], {}
    while nodes:
        node = nodes.pop()
        if isinstance(node, CollectionNode) and id(node) not in seen:
            seen[id(node)] = node
            for part in node.value:
                nodes += part if isinstance(part, tuple) else [part]
    return [node for node in seen.values() if isinstance(node, SequenceNode)]


def _has_slots(node: SequenceNode) -> bool:
    """Return whether an item is a text with a slot, or a mapping with such a key."""
    keys = [
        item.value[0][0] if isinstance(item, MappingNode) and item.value else item
        for item in node.value
    ]
    return any(isinstance(key.value, str) and SLOT.search(key.value) for key in keys)


def _edit(text: str, node: SequenceNode, change: Callable[[list[str]], list[str]]) -> str:
    """Return a YAML text with other items in a sequence; the lines of items that stay, stay.

    Args:
        text: All of the text, with an end of the last line.
        node: The sequence, with at least one item.
        change: Returns the new items for the old ones, as YAML without comments.
    """
    first, last = node.value[0].start_mark, node.value[-1].end_mark
    bodies = [
        re.sub(r"(^|\s+)#.*", "", text[item.start_mark.index : item.end_mark.index]).rstrip()
        for item in node.value
    ]
    changed = change(bodies)
    if changed == bodies:
        return text
    if node.flow_style:
        return text[: first.index] + _wrapped(changed, first.column) + text[last.index :]
    starts = [_line_start(text, item.start_mark.index) for item in node.value]
    ends = [*starts[1:], _line_start(text, node.end_mark.index)]
    lines, rest = _lines_of_items([text[a:b] for a, b in zip(starts, ends, strict=True)])
    known = dict(zip(bodies, lines, strict=True))
    dash = text[starts[0] : first.index]
    edited = "".join(known.get(body, f"{dash}{body}\n") for body in changed)
    return text[: starts[0]] + edited + rest + text[ends[-1] :]


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _lines_of_items(chunks: list[str]) -> tuple[list[str], str]:
    """Return the lines of each item with the comments above it, and the lines after the last."""
    items, above = [], ""
    for chunk in chunks:
        item = re.sub(r"(?<=\n)([ \t]*(#.*)?\n)+\Z", "", chunk)
        items.append(above + item)
        above = chunk[len(item) :]
    return items, above


def _wrapped(items: list[str], column: int) -> str:
    """Return items in brackets, without the brackets, from a column on."""
    text, end = items[0], column + len(items[0])
    for item in items[1:]:
        end += len(", ") + len(item)
        is_too_long = end >= LINE_WIDTH
        end = column + len(item) if is_too_long else end
        text += (",\n" + " " * column if is_too_long else ", ") + item
    return text
