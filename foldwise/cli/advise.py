"""foldwise advise: propose two or three architectures for the prepared data.

This is no stage of dvc.yaml, because it chooses what the pipeline compares: a pipeline that rewrote
its own parameters would never be up to date.
"""

import io
from collections.abc import Sequence
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from foldwise.core.atomic import write_text
from foldwise.core.errors import counted
from foldwise.engine.hardware import set_up
from foldwise.files.dataset import read_dataset
from foldwise.files.params import RUN_KEYS, read_params
from foldwise.plan.advise import advice_lines, advise
from foldwise.plan.budget import Setting
from foldwise.plan.candidates import Candidate

LINE_WIDTH = 4096  # characters; lines keep the breaks that they have


def run_advise(path: Path, dataset_folder: Path, *, write: bool) -> None:
    """Print the proposals; optionally make them the model and candidates of params.yaml.

    Args:
        path: params.yaml.
        dataset_folder: The prepared data set.
        write: Whether to change params.yaml.
    """
    sections = ("train", "extract", "hardware", "forecast", "augment", "build", "advise")
    params, dataset = read_params(path, *RUN_KEYS, *sections), read_dataset(dataset_folder)
    advice = advise(dataset, params, set_up(params.hardware))
    for line in advice_lines(advice, dataset.info, params.advise):
        print(line)
    candidates = [proposal.candidate for proposal in advice.plan.proposals]
    names = ", ".join(candidate.name for candidate in candidates)
    if not write:
        print(f"advise: {names}; --write, or make advise WRITE=1, puts them into {path}")
        return
    text = path.read_text(encoding="utf-8")
    settings = [setting for setting in advice.settings if setting.value is not None]
    write_text(path, rewrite(text, candidates, settings))
    written = "".join(f", {setting.key}: {setting.value}" for setting in settings)
    n_decide = len(advice.settings) - len(settings)
    rest = f"; {counted(n_decide, 'key')} above to decide by hand" if n_decide else ""
    print(f"advise: {names}{written} -> {path}{rest}")


def rewrite(text: str, proposals: Sequence[Candidate], settings: Sequence[Setting] = ()) -> str:
    """Return the text of params.yaml with proposals as its model and candidates, and settings.

    Args:
        text: Of a valid params.yaml.
        proposals: Two or three, the most promising first; their sections are added to
            build.architectures, above what is there.
        settings: Other values to write.
    """
    yaml = _round_trip_yaml()
    content = yaml.load(text)
    names = [candidate.name for candidate in proposals]
    model, candidates = fill_slots(names, len(content["candidates"]))
    _replace(content, "model", model)
    for slot, name in enumerate(candidates):
        content["candidates"][slot] = name
    architectures = content["build"]["architectures"]
    for candidate in reversed(proposals):
        if candidate.section and candidate.name not in architectures:
            architectures.insert(0, candidate.name, CommentedMap(candidate.section))
    for key, value, _ in settings:
        section, _, name = key.rpartition(".")
        _replace(content[section] if section else content, name, value)
    output = io.StringIO()
    yaml.dump(content, output)
    return output.getvalue()


def fill_slots(names: Sequence[str], n_slots: int) -> tuple[str, list[str]]:
    """Return the model and the candidates that together are these names.

    Args:
        names: Two or three, the most promising first.
        n_slots: Number of candidates in dvc.yaml. If there are more slots than names, the last
            name is repeated; if there are fewer, the first name is the model alone.
    """
    candidates = list(names) if n_slots >= len(names) else list(names[1:])
    padded = candidates + candidates[-1:] * n_slots
    return names[0], padded[:n_slots]


class _Representer(RoundTripRepresenter):
    """Writes null as null; ruamel.yaml's own leaves it out."""

    def represent_null(self, _: None) -> ScalarNode:
        node: ScalarNode = self.represent_scalar("tag:yaml.org,2002:null", "null")
        return node


_Representer.add_representer(type(None), _Representer.represent_null)


def _round_trip_yaml() -> YAML:
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.preserve_quotes = True
    yaml.width = LINE_WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _replace(content: CommentedMap, key: str, value: object) -> None:
    """Set a value; its comment follows after two spaces."""
    if isinstance(value, list):
        value = CommentedSeq(value)
        value.fa.set_flow_style()
    content[key] = value
    _, _, comment, _ = content.ca.items.get(key, [None] * 4)
    if comment is not None:
        comment.column = content.lc.col + len(f"{key}: {value}  ")
