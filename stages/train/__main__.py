"""Train one architecture on one fold."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from stages.contracts.command import run
from stages.contracts.dataset import read_dataset
from stages.contracts.fold_record import write_record
from stages.contracts.network import read_network, read_weights
from stages.contracts.params_file import read_params
from stages.contracts.predictions import write_predictions
from stages.contracts.recipe import read_recipe
from stages.contracts.split import read_split
from stages.train.fold import open_fold
from stages.train.hardware import choose_hardware, make_repeatable
from stages.train.params import TrainParams
from stages.train.record import fold_record, predictions
from stages.train.session import summary, train


def main(argv: Sequence[str] | None = None) -> None:
    """Write the fold record and predictions.npz."""
    start = time.perf_counter()
    parser = argparse.ArgumentParser(prog="python -m stages.train", description=__doc__)
    for flag in ("--params", "--dataset", "--split", "--recipe", "--network"):
        parser.add_argument(flag, type=Path, required=True)
    for flag in ("--predictions", "--record"):
        parser.add_argument(flag, type=Path, required=True)
    for flag in ("--repeat", "--fold"):
        parser.add_argument(flag, type=int, required=True)
    given = parser.parse_args(argv)
    section = read_params(given.params, TrainParams).train
    spec, weights = read_network(given.network), read_weights(given.network)
    hardware = choose_hardware(section)
    make_repeatable(hardware)
    dataset, split = read_dataset(given.dataset), read_split(given.split)
    place = (given.repeat, given.fold)
    fold = open_fold(dataset, split, read_recipe(given.recipe), place, hardware.device)
    outcome = train(spec, weights, fold, section, hardware)
    seconds = time.perf_counter() - start
    record = fold_record(spec.name, fold, outcome, hardware, section.epochs, seconds)
    write_predictions(given.predictions, predictions(fold, outcome))
    write_record(given.record, record)
    print(f"train: {summary(record)} -> {given.record}")


if __name__ == "__main__":
    run(main)
