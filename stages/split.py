"""Assign the training images of a data set to the folds of one repeat."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from foldwise.core.errors import run_main
from foldwise.data.split import assign_folds, fit_normalisation, require_enough
from foldwise.files.dataset import read_dataset, read_samples
from foldwise.files.params import read_params
from foldwise.files.split import HELD_OUT, Split, write_split


def main(argv: Sequence[str] | None = None) -> None:
    """Write folds.csv and normalisation.json."""
    parser = argparse.ArgumentParser(prog="python -m stages.split", description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--repeat", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)
    params = read_params(args.params, "folds", "resplit")
    n_folds, draw = len(params.folds), args.repeat if params.resplit else 0
    dataset, samples = read_dataset(args.dataset), read_samples(args.dataset)
    info, n = dataset.info, dataset.info.n_train  # test images come last
    labels, groups = samples.labels[:n], samples.groups[:n]
    require_enough(labels, groups, info.classes, n_folds)
    fold = np.full(len(samples.labels), HELD_OUT, dtype=np.int64)
    fold[:n] = assign_folds(labels, groups, n_folds, info.seed, draw)
    normalisation = fit_normalisation(dataset.images[:n], fold[:n], n_folds)
    write_split(args.output, Split(fold, normalisation))
    print(f"split: repeat {args.repeat}, {n:,} images in {n_folds} folds -> {args.output}")


if __name__ == "__main__":
    run_main(main)
