"""params.yaml with other candidates; comments and layout stay."""

import io
from collections.abc import Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from foldwise.plan.ideas import Idea

SHORT = 60  # characters of a section
WIDTH = 4096  # characters; lines are broken where they were, and nowhere else


def fill(names: Sequence[str], n_slots: int) -> tuple[str, list[str]]:
    """Return the model and the candidates that together are these names.

    Args:
        names: Two or three, the best bet first.
        n_slots: Candidates that dvc.yaml has room for; with more than names, the last stands
            twice, with fewer, the first is the model alone.
    """
    listed = list(names) if n_slots >= len(names) else list(names[1:])
    padded = listed + listed[-1:] * n_slots
    return names[0], padded[:n_slots]


def rewrite(text: str, ideas: Sequence[Idea]) -> str:
    """Return the text of params.yaml with ideas as its model and candidates.

    Args:
        text: Of a sound params.yaml.
        ideas: Two or three, the best bet first; what they define is added to
            build.architectures, above what is there.
    """
    yaml = _layout()
    content = yaml.load(text)
    model, candidates = fill([idea.name for idea in ideas], len(content["candidates"]))
    _replace(content, "model", model)
    for slot, name in enumerate(candidates):
        content["candidates"][slot] = name
    defined = content["build"]["architectures"]
    for idea in reversed(ideas):
        if idea.section and idea.name not in defined:
            defined.insert(0, idea.name, _as_written(idea.section))
    written = io.StringIO()
    yaml.dump(content, written)
    return written.getvalue()


def _replace(content: CommentedMap, key: str, value: str) -> None:
    """Set a value; a comment behind it follows after two blanks."""
    content[key] = value
    _, _, comment, _ = content.ca.items.get(key, [None] * 4)
    if comment is not None:
        comment.column = len(f"{key}: {value}  ")


class _Representer(RoundTripRepresenter):
    """Writes null as null; ruamel.yaml's own leaves it out."""

    def represent_null(self, _: None) -> ScalarNode:
        node: ScalarNode = self.represent_scalar("tag:yaml.org,2002:null", "null")
        return node


_Representer.add_representer(type(None), _Representer.represent_null)


def _layout() -> YAML:
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.preserve_quotes = True
    yaml.width = WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _as_written(section: dict[str, Any]) -> object:
    """Return a short section on one line, and a long one with a line a key."""
    if len(str(section)) <= SHORT:
        return _in_a_row(section)
    return CommentedMap({key: _in_a_row(one) for key, one in section.items()})


def _in_a_row(value: object) -> object:
    """Return mappings as YAML writes them on one line."""
    if isinstance(value, list):
        return [_in_a_row(one) for one in value]
    if not isinstance(value, dict):
        return value
    row = CommentedMap({key: _in_a_row(one) for key, one in value.items()})
    row.fa.set_flow_style()
    return row
