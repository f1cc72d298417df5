"""Train one architecture on one fold."""

from foldwise.core.preload import delegate
from foldwise.core.process import die_with_parent, tune_python

if __name__ == "__main__":  # before PyTorch loads, which takes seconds in which DVC may be killed
    tune_python()
    die_with_parent()
    delegate("stages.train")

import argparse
from collections.abc import Sequence
from pathlib import Path

from foldwise.core.atomic import sole_writer
from foldwise.core.errors import run_main
from foldwise.engine.fold import open_fold
from foldwise.engine.hardware import set_up
from foldwise.engine.training import train_fold, trained_on
from foldwise.files.dataset import read_dataset
from foldwise.files.features import read_features
from foldwise.files.fold_record import write_predictions, write_record
from foldwise.files.forecast import read_forecast
from foldwise.files.network import read_network
from foldwise.files.params import read_params
from foldwise.files.split import read_recipe, read_split
from foldwise.nets.weights.tensors import read_start, write_trained
from foldwise.run.progress import FoldProgressBar, result_line


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
    params = read_params(given.params, "train", "hardware")
    hardware = set_up(params.hardware)
    data = read_dataset(given.dataset), read_split(given.split), read_recipe(given.recipe)
    network, features = read_network(given.network), read_features(given.features)
    fold = open_fold(data, (given.repeat, given.fold), network, features, hardware.device)
    plan = read_forecast(given.forecast) if given.forecast and given.forecast.is_file() else None
    following = plan.after(network.name, given.repeat, given.fold) if plan else None
    with sole_writer(given.predictions):
        start, section = read_start(given.network), params.train
        title = f"{network.name} repeat {fold.repeat} fold {fold.number + 1} of {fold.n_folds}"
        n_images = section.epochs * len(fold.training)
        with FoldProgressBar(title, n_images, section.epochs, following) as bar:
            result = train_fold(network, start, fold, section, hardware, bar)
        write_predictions(given.predictions, result.predictions)
        write_trained(given.predictions, result.weights, trained_on(data[0].info, fold))
        write_record(given.record, result.record)
    print(f"train: {result_line(result.record)} -> {given.record}")


if __name__ == "__main__":
    run_main(main)
