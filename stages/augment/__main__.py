"""Write how training images are augmented, and a contact sheet of it for every fold."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from stages.augment.contact_sheet import contact_sheet
from stages.augment.params import AugmentParams
from stages.augment.recipe import resolve
from stages.contracts.command import run
from stages.contracts.dataset import read_dataset
from stages.contracts.params_file import read_params
from stages.contracts.recipe import write_recipe
from stages.contracts.split import read_split


def main(argv: Sequence[str] | None = None) -> None:
    """Write recipe.json and one picture a fold."""
    parser = argparse.ArgumentParser(prog="python -m stages.augment", description=__doc__)
    for flag in ("--params", "--dataset", "--split", "--recipe", "--sheets"):
        parser.add_argument(flag, type=Path, required=True)
    parser.add_argument("--repeat", type=int, required=True)
    given = parser.parse_args(argv)
    dataset, split = read_dataset(given.dataset), read_split(given.split)
    recipe = resolve(read_params(given.params, AugmentParams).augment, dataset.info)
    given.sheets.mkdir(parents=True, exist_ok=True)
    for fold in range(split.n_folds):
        sheet = contact_sheet(dataset, recipe, split.training(fold), given.repeat, fold)
        (given.sheets / f"{fold}.png").write_bytes(sheet)
    write_recipe(given.recipe, recipe)
    print(f"augment: repeat {given.repeat}, {split.n_folds} contact sheets -> {given.sheets}")


if __name__ == "__main__":
    run(main)
