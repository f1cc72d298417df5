"""foldwise candidates: compare other architectures, however many they are."""

from collections.abc import Sequence
from pathlib import Path

from ruamel.yaml import YAML

from foldwise.core.atomic import write_text
from foldwise.core.errors import InputError
from foldwise.files.base import read_yaml
from foldwise.files.params import check_params, read_params
from foldwise.files.slots import (
    candidate_slots,
    fewest_and_most,
    range_text,
    slots_for,
    with_names,
    with_slots,
)


def run_candidates(params: Path, pipeline: Path, names: Sequence[str]) -> None:
    """Print the candidates, or set them and the slots that they need.

    Args:
        params: params.yaml.
        pipeline: dvc.yaml.
        names: The new candidates; without, nothing changes.

    Raises:
        InputError: If params.yaml is wrong with these candidates; then nothing is written.
    """
    if not names:
        content = read_params(params, "model", "candidates")
        fit = range_text(candidate_slots(read_yaml(pipeline), str(pipeline)))
        joined = dict.fromkeys(content.candidates)
        print(f"candidates: {', '.join(joined)}; {pipeline} has slots for {fit}")
        print(f"model: {content.model}, which is always compared, too")
        return
    names = list(dict.fromkeys(names))
    read_yaml(params)  # names an error of the syntax
    text = with_names(params.read_text(encoding="utf-8"), names)
    slots, pipeline_text = fit_slots(pipeline, len(names))
    checked = check_params(YAML(typ="safe").load(text), slots, str(params))
    if pipeline_text:
        write_text(pipeline, pipeline_text)
    write_text(params, text)
    print(f"candidates: {', '.join(names)} -> {params}")
    change = f" -> {pipeline}" if pipeline_text else f" are in {pipeline} already"
    print(f"candidates: slots for {range_text(slots)}{change}")
    print(f"candidates: with model {checked.model}, {checked.size_text}")


def fit_slots(pipeline: Path, n_names: int) -> tuple[list[int], str | None]:
    """Return slots for so many candidates, and dvc.yaml with them; None if it has them already.

    Raises:
        InputError: If dvc.yaml has no slots, or cannot be edited.
    """
    content = read_yaml(pipeline)
    try:
        slots = candidate_slots(content, str(pipeline))
    except InputError:  # lists with different slots, which the new ones mend
        slots = []
    fewest, most = fewest_and_most(slots)
    if fewest <= n_names <= most:
        return slots, None
    slots = slots_for(n_names)
    return slots, with_slots(pipeline.read_text(encoding="utf-8"), slots)
