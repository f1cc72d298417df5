"""Train one architecture on one fold."""

from stages.contracts.job import hand_over
from stages.contracts.process import die_with_parent

if __name__ == "__main__":  # before PyTorch loads, which takes seconds in which DVC may be killed
    die_with_parent()
    hand_over("stages.train")

import argparse
from collections.abc import Sequence
from pathlib import Path

from stages.contracts.command import run
from stages.contracts.dataset import read_dataset
from stages.contracts.features import read_features
from stages.contracts.fold_record import write_record
from stages.contracts.forecast import read_forecast
from stages.contracts.network import read_network
from stages.contracts.params_file import read_params
from stages.contracts.predictions import write_predictions
from stages.contracts.recipe import read_recipe
from stages.contracts.split import read_split
from stages.contracts.weights import read_start, write_trained
from stages.train.fold import open_fold
from stages.train.hardware import set_up
from stages.train.params import TrainParams
from stages.train.record import trained_on
from stages.train.session import summary, train
from stages.train.sole_writer import sole_writer


def main(argv: Sequence[str] | None = None) -> None:
    """Write the fold record, predictions.npz and, if kept, weights.safetensors."""
    parser = argparse.ArgumentParser(prog="python -m stages.train", description=__doc__)
    paths = ("--params", "--dataset", "--split", "--recipe", "--network", "--features")
    for flag in (*paths, "--predictions", "--record"):
        parser.add_argument(flag, type=Path, required=True)
    for flag in ("--repeat", "--fold"):
        parser.add_argument(flag, type=int, required=True)
    parser.add_argument("--forecast", type=Path, help="minutes.json; what follows is shown")
    given = parser.parse_args(argv)
    params = read_params(given.params, TrainParams)
    hardware = set_up(params.hardware)
    data = read_dataset(given.dataset), read_split(given.split), read_recipe(given.recipe)
    network, features = read_network(given.network), read_features(given.features)
    fold = open_fold(data, (given.repeat, given.fold), network, features, hardware.device)
    plan = read_forecast(given.forecast) if given.forecast and given.forecast.is_file() else None
    following = plan.after(network.name, given.repeat, given.fold) if plan else None
    with sole_writer(given.predictions):
        result = train(network, read_start(given.network), fold, params.train, hardware, following)
        write_predictions(given.predictions, result.predictions)
        write_trained(given.predictions, result.weights, trained_on(data[0].info, fold))
        write_record(given.record, result.record)
    print(f"train: {summary(result.record)} -> {given.record}")


if __name__ == "__main__":
    run(main)
