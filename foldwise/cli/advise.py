"""foldwise advise: propose two or three architectures for the prepared data.

This is no stage of dvc.yaml, because it chooses what the pipeline compares: a pipeline that rewrote
its own parameters would never be up to date.
"""

from pathlib import Path

from foldwise.core.atomic import write_text
from foldwise.engine.hardware import set_up
from foldwise.files.dataset import read_dataset
from foldwise.files.params import RUN_KEYS, read_params
from foldwise.plan.advise import advice_lines, advise
from foldwise.plan.write_params import rewrite


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
    write_text(path, rewrite(text, candidates))
    print(f"advise: {names} -> {path}")
