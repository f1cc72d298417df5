"""Split the training images of a data set into the folds of one repeat."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stages.contracts.command import run
from stages.contracts.dataset import read_dataset, read_samples
from stages.contracts.params_file import read_params
from stages.contracts.split import HELD_OUT, Split, write_split
from stages.split.folds import assign_folds, require_enough
from stages.split.normalisation import normalise
from stages.split.params import SplitParams


def main(argv: Sequence[str] | None = None) -> None:
    """Write folds.csv and normalisation.json."""
    parser = argparse.ArgumentParser(prog="python -m stages.split", description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--repeat", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    params = read_params(arguments.params, SplitParams)
    n_folds, draw = len(params.folds), arguments.repeat if params.resplit else 0
    dataset, samples = read_dataset(arguments.dataset), read_samples(arguments.dataset)
    info, n = dataset.info, dataset.info.n_train  # the test images come last
    labels, groups = samples.labels[:n], samples.groups[:n]
    require_enough(labels, groups, info.classes, n_folds)
    fold = np.full(len(samples.labels), HELD_OUT, dtype=np.int64)
    fold[:n] = assign_folds(labels, groups, n_folds, info.seed, draw)
    split = Split(fold, normalise(dataset.images[:n], fold[:n], n_folds))
    write_split(arguments.output, split)
    line = f"{n:,} images in {n_folds} folds"
    print(f"split: repeat {arguments.repeat}, {line} -> {arguments.output}")


if __name__ == "__main__":
    run(main)
