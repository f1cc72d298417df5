"""The stages of dvc.yaml, each once: what it asks, and which stages it waits for."""

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

Tree = Mapping[str, Any]
OUTPUTS = ("outs", "metrics", "plots")


class Step(NamedTuple):
    """One stage, whatever its matrix.

    Attributes:
        name: As in dvc.yaml.
        question: What it answers; empty if dvc.yaml does not say.
        after: Stages of which it reads something; not those that these wait for anyway.
    """

    name: str
    question: str
    after: list[str]


def steps(pipeline: Tree, params: Tree) -> list[Step]:
    """Return the stages in the order of dvc.yaml.

    As `dvc dag` shows them, but for arrows that follow from others, and with one node for all
    the stages of a matrix.

    Args:
        pipeline: The content of dvc.yaml.
        params: That of params.yaml.
    """
    stages: Mapping[str, Tree] = pipeline["stages"]
    made = {
        name: [
            path for kind in ("outs", "metrics", "plots") for path in _paths(stage, kind, params)
        ]
        for name, stage in stages.items()
    }
    needs = {
        name: _makers(list(_paths(stage, "deps", params)), made) for name, stage in stages.items()
    }
    return [
        Step(name, stage.get("desc", ""), [one for one in made if one in _direct(name, needs)])
        for name, stage in stages.items()
    ]


def _paths(stage: Tree, kind: str, params: Tree) -> Iterator[str]:
    """Yield what a stage reads or makes; a star is what its matrix puts there."""
    for entry in stage.get(kind, []):
        path = entry if isinstance(entry, str) else next(iter(entry))
        yield re.sub(r"\$\{([^}]*)\}", lambda found: _value(found, params), path)


def _value(found: re.Match[str], params: Tree) -> str:
    key = found[1].split(".")
    if key[0] == "item":
        return "*"
    value: Any = params
    for name in key:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else found[0]


def _makers(reads: Sequence[str], made: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the stages that make something of what is read."""
    return {
        name
        for name, outputs in made.items()
        if any(_overlap(read, output) for read in reads for output in outputs)
    }


def _overlap(read: str, output: str) -> bool:
    """Return whether the paths are the same, or one is a folder around the other."""
    return all(
        fnmatchcase(one, other) or fnmatchcase(other, one)
        for one, other in zip(read.split("/"), output.split("/"), strict=False)
    )


def _direct(name: str, needs: Mapping[str, set[str]]) -> set[str]:
    """Return the stages that one waits for and no other of these does."""
    return needs[name] - {far for near in needs[name] for far in _all_before(near, needs)}


def _all_before(name: str, needs: Mapping[str, set[str]]) -> set[str]:
    return needs[name].union(*(_all_before(near, needs) for near in needs[name]))
