"""Write the augmentation of the training images, and one contact sheet per fold."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.augment")

from collections.abc import Sequence

from foldwise.core.fonts import font_hint
from foldwise.core.process import parse_options
from foldwise.data.contact_sheet import contact_sheet
from foldwise.data.folds import training_indices
from foldwise.files.dataset import read_dataset
from foldwise.files.params import read_params
from foldwise.files.split import read_split, write_recipe
from foldwise.run.guard import run_stage


def main(argv: Sequence[str] | None = None) -> None:
    """Write recipe.json and one PNG per fold."""
    args = parse_options("augment", __doc__, argv, "params dataset split recipe sheets", repeat=int)
    dataset, split = read_dataset(args.dataset), read_split(args.split)
    recipe = read_params(args.params, "augment").augment
    args.sheets.mkdir(parents=True, exist_ok=True)
    for fold in range(split.n_folds):
        training = training_indices(split, fold)
        sheet = contact_sheet(dataset, recipe, training, args.repeat, fold)
        (args.sheets / f"{fold}.png").write_bytes(sheet)
    write_recipe(args.recipe, recipe)
    hint = font_hint(dataset.info.classes)
    print(f"augment: repeat {args.repeat}, {split.n_folds} contact sheets -> {args.sheets}{hint}")


if __name__ == "__main__":
    run_stage(main)
