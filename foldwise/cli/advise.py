"""foldwise advise: propose two or three architectures for the prepared data.

No stage of dvc.yaml: it chooses what the pipeline compares, and a pipeline that
rewrote its own parameters would never be up to date.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from foldwise.core.atomic import write_text
from foldwise.engine.hardware import set_up
from foldwise.files.dataset import read_dataset
from foldwise.files.params import AdviseParams, read_params
from foldwise.plan.advise import advise, page
from foldwise.plan.write_params import rewrite


def main(argv: Sequence[str]) -> None:
    """Print the proposals; with --write, make them the model and candidates of params.yaml."""
    parser = argparse.ArgumentParser(prog="foldwise advise", description=__doc__)
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--dataset", type=Path, default=Path("data/prepared"))
    parser.add_argument("--write", action="store_true", help="put them into the params")
    given = parser.parse_args(argv)
    params, dataset = read_params(given.params, AdviseParams), read_dataset(given.dataset)
    advice = advise(dataset, params, set_up(params.hardware))
    for line in page(advice, dataset.info, params.advise):
        print(line)
    ideas = [one.idea for one in advice.plan.proposals]
    names = ", ".join(idea.name for idea in ideas)
    if not given.write:
        print(f"advise: {names}; --write, or make advise WRITE=1, puts them into {given.params}")
        return
    text = given.params.read_text(encoding="utf-8")
    write_text(given.params, rewrite(text, ideas))
    print(f"advise: {names} -> {given.params}")
