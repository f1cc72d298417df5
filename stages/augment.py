"""Write how training images are augmented, and a contact sheet of it for every fold."""

from foldwise.core.process import tune_python

if __name__ == "__main__":
    tune_python()

import argparse
from collections.abc import Sequence
from pathlib import Path

from foldwise.core.errors import run_main
from foldwise.data.augment import resolve_recipe
from foldwise.data.contact_sheet import contact_sheet
from foldwise.files.dataset import read_dataset
from foldwise.files.params import AugmentParams, read_params
from foldwise.files.split import read_split, write_recipe


def main(argv: Sequence[str] | None = None) -> None:
    """Write recipe.json and one picture a fold."""
    parser = argparse.ArgumentParser(prog="python -m stages.augment", description=__doc__)
    for flag in ("--params", "--dataset", "--split", "--recipe", "--sheets"):
        parser.add_argument(flag, type=Path, required=True)
    parser.add_argument("--repeat", type=int, required=True)
    given = parser.parse_args(argv)
    dataset, split = read_dataset(given.dataset), read_split(given.split)
    recipe = resolve_recipe(read_params(given.params, AugmentParams).augment, dataset.info)
    given.sheets.mkdir(parents=True, exist_ok=True)
    for fold in range(split.n_folds):
        sheet = contact_sheet(dataset, recipe, split.training(fold), given.repeat, fold)
        (given.sheets / f"{fold}.png").write_bytes(sheet)
    write_recipe(given.recipe, recipe)
    print(f"augment: repeat {given.repeat}, {split.n_folds} contact sheets -> {given.sheets}")


if __name__ == "__main__":
    run_main(main)
