"""foldwise advise: propose two or three architectures for the prepared data.

This is no stage of dvc.yaml, because it chooses what the pipeline compares: a pipeline that rewrote
its own parameters would never be up to date.
"""

import argparse
import io
from collections.abc import Sequence

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from foldwise.cli.candidates import fit_slots
from foldwise.core.atomic import write_text
from foldwise.core.errors import InputError, counted
from foldwise.engine.hardware import set_up
from foldwise.files.dataset import DatasetInfo, read_dataset
from foldwise.files.params import RUN_KEYS, Params, read_params
from foldwise.files.slots import with_names
from foldwise.plan.advise import advice_lines, advise
from foldwise.plan.budget import Setting
from foldwise.plan.candidates import Candidate

LINE_WIDTH = 4096  # characters; lines keep the breaks that they have


def run_advise(args: argparse.Namespace) -> None:
    """Print the proposals; with --write, make them the model and candidates of params.yaml.

    Args:
        args: Options of the command.

    Raises:
        InputError: If params.yaml is wrong, or the data set was prepared with other parameters.
    """
    path, dataset_folder = args.params, args.dataset
    sections = ("train", "extract", "hardware", "forecast", "augment", "build", "advise")
    params = read_params(path, *RUN_KEYS, "seed", "prepare", *sections)
    dataset = read_dataset(dataset_folder)
    _require_prepared(params, dataset.info, f"{dataset_folder / 'dataset.json'}")
    advice = advise(dataset, params, set_up(params.hardware))
    for line in advice_lines(advice, dataset.info, params.advise):
        print(line)
    candidates = [proposal.candidate for proposal in advice.plan.proposals]
    names = ", ".join(candidate.name for candidate in candidates)
    if not args.write:
        print(
            f"advise: {names}; --write, or make advise WRITE=1, puts them into {path}; "
            "'foldwise candidates NAMES' sets others, however many"
        )
        return
    _, pipeline_text = fit_slots(args.pipeline, len(candidates))
    if pipeline_text:
        write_text(args.pipeline, pipeline_text)
    text = path.read_text(encoding="utf-8")
    settings = [setting for setting in advice.settings if setting.value is not None]
    write_text(path, rewrite(text, candidates, settings))
    written = "".join(f", {setting.key}: {setting.value}" for setting in settings)
    n_decide = len(advice.settings) - len(settings)
    rest = f"; {counted(n_decide, 'key')} above to decide by hand" if n_decide else ""
    also = f" and {args.pipeline}" if pipeline_text else ""
    print(f"advise: {names}{written} -> {path}{also}{rest}")


def _require_prepared(params: Params, info: DatasetInfo, place: str) -> None:
    """Require that the data set is the one of params.yaml, as far as dataset.json tells.

    Raises:
        InputError: If it was prepared with other parameters.
    """
    size = params.prepare.size or (info.height, info.width)
    for key, prepared, value in (
        ("prepare.dataset", info.name, params.prepare.dataset),
        ("prepare.image_size", (info.height, info.width), size),
        ("seed", info.seed, params.seed),
    ):
        if prepared != value:
            raise InputError(
                f"{place} was made with {key}: {prepared}, and params.yaml sets {value}; run "
                "'dvc repro prepare' first"
            )


def rewrite(text: str, proposals: Sequence[Candidate], settings: Sequence[Setting] = ()) -> str:
    """Return the text of params.yaml with proposals as its model and candidates, and settings.

    Args:
        text: Of a valid params.yaml.
        proposals: The most promising first; their sections are added to
            build.architectures, above what is there.
        settings: Other values to write.
    """
    names = [candidate.name for candidate in proposals]
    yaml = _round_trip_yaml()
    content = yaml.load(with_names(text, names))
    _replace(content, "model", names[0])
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
