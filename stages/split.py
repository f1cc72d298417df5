"""Split the training images of a data set into the folds of one repeat."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.split")

from collections.abc import Sequence

from foldwise.core.errors import printable
from foldwise.core.process import parse_options
from foldwise.data.split import describe_folds, split_dataset
from foldwise.files.dataset import read_dataset, read_samples
from foldwise.files.params import read_params
from foldwise.files.split import write_split
from foldwise.run.guard import run_stage


def main(argv: Sequence[str] | None = None) -> None:
    """Write folds.csv, normalisation.json and digests.json."""
    args = parse_options("split", __doc__, argv, "params dataset output", repeat=int)
    params = read_params(args.params, "folds", "resplit")
    dataset, groups = read_dataset(args.dataset), read_samples(args.dataset).groups
    n_folds, draw = len(params.folds), args.repeat if params.resplit else 0
    split = split_dataset(dataset, groups, n_folds, draw)
    write_split(args.output, split)
    folds = printable(describe_folds(split, dataset, groups))
    print(f"split: repeat {args.repeat}, {folds} -> {args.output}")


if __name__ == "__main__":
    run_stage(main)
