"""Train one architecture on one fold."""

import argparse
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
from stages.train.hardware import set_up
from stages.train.params import TrainParams
from stages.train.session import summary, train


def main(argv: Sequence[str] | None = None) -> None:
    """Write the fold record and predictions.npz."""
    parser = argparse.ArgumentParser(prog="python -m stages.train", description=__doc__)
    paths = ("--params", "--dataset", "--split", "--recipe", "--network", "--predictions")
    for flag in (*paths, "--record"):
        parser.add_argument(flag, type=Path, required=True)
    for flag in ("--repeat", "--fold"):
        parser.add_argument(flag, type=int, required=True)
    given = parser.parse_args(argv)
    section = read_params(given.params, TrainParams).train
    hardware = set_up(section)
    data = read_dataset(given.dataset), read_split(given.split), read_recipe(given.recipe)
    fold = open_fold(*data, (given.repeat, given.fold), hardware.device)
    network = read_network(given.network), read_weights(given.network)
    record, predictions = train(*network, fold, section, hardware)
    write_predictions(given.predictions, predictions)
    write_record(given.record, record)
    print(f"train: {summary(record)} -> {given.record}")


if __name__ == "__main__":
    run(main)
