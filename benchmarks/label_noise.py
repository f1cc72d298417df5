"""Precision and recall of the labels that look wrong, with wrong labels put in on purpose.

    python -m benchmarks.label_noise --params params.yaml --data ../shared/data --folder data/noise

It runs the stages on three data sets (minutes on two cores) and prints the table of docs/data.md.
"""

import argparse
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
from cleanlab.filter import find_label_issues
from numpy.typing import NDArray

from benchmarks.cases import CIFAR, DIGITS, FASHION, races
from benchmarks.settings import write_settings
from foldwise.core.errors import run_main
from foldwise.files.dataset import read_dataset, read_samples, write_dataset
from foldwise.files.fold_record import read_predictions
from foldwise.files.params import RUN_KEYS, Params, read_params
from foldwise.files.race import FoldDecision, write_decision
from foldwise.selection.labels import mean_probabilities, suspicious_labels

MODELS = ["lenet5", "slim_vgg"]
SIZES = {"digits": (1400, 8), "FashionMNIST": (1500, 3), "CIFAR10": (1500, 4)}  # images, epochs
NOISE = (0.02, 0.05)  # share of the training labels


def main() -> None:
    """Print one row per data set and share of wrong labels."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.label_noise", description=__doc__)
    for name in ("params", "data", "folder"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args()
    roots = {case.title: case.root for case in [DIGITS, *races(args.data, args.folder)]}
    for case in (DIGITS, FASHION, CIFAR):
        images, epochs = SIZES[case.title]
        case = replace(case, root=roots[case.title].resolve(), images=images, epochs=epochs)
        for noise in NOISE:
            folder = args.folder / f"{case.title}-{noise}"
            values = case.settings() | {"model": MODELS[0], "candidates": [MODELS[1], MODELS[0]]}
            values["hardware"] = {"threads": 1}  # two wait for each other on a busy machine
            folder.mkdir(parents=True, exist_ok=True)
            write_settings(args.params, values, folder / "params.yaml")
            params = read_params(folder / "params.yaml", *RUN_KEYS, "seed", "prepare")
            if not (folder / "true.npy").is_file():
                _run(folder, params, noise)
            print(_row(folder, params, f"{case.title}, {noise:.0%}"), flush=True)


def _run(folder: Path, params: Params, noise: float) -> None:
    """Run the stages up to train, with wrong labels after prepare."""
    settings, dataset = ["--params", f"{folder}/params.yaml"], ["--dataset", f"{folder}/prepared"]
    split, recipe = f"{folder}/split", ["--recipe", f"{folder}/recipe"]
    _stage("prepare", *settings, "--output", dataset[1])
    labels = _add_noise(folder / "prepared", noise)
    _stage("split", *settings, *dataset, "--repeat", "0", "--output", split)
    augment = [*dataset, "--split", split, "--repeat", "0", *recipe, "--sheets", f"{folder}/sheets"]
    _stage("augment", *settings, *augment)
    write_decision(folder / "race.json", FoldDecision())  # there is no race
    for model in params.models:
        network = ["--network", f"{folder}/models/{model}"]
        build = [*dataset, "--model", model, *network, "--summary", f"{folder}/cards/{model}"]
        _stage("build", *settings, *build, "--latency", f"{folder}/latency/{model}.json")
        features = f"{folder}/features/{model}"
        extract = [*dataset, *recipe, *network, "--output", features]
        _stage("extract", *settings, *extract, "--timing", f"{folder}/extraction/{model}.json")
        tune = ["--split", split, *recipe, *network, "--features", features]
        rate = ["--rate", f"{folder}/rates/{model}.json"]
        _stage("tune", *settings, *dataset, *tune, *rate, "--tried", f"{folder}/tried/{model}.json")
        for fold in params.folds:
            run = [*dataset, "--split", split, *recipe, *network, "--features", features, *rate]
            run += ["--repeat", "0", "--fold", str(fold), "--forecast", "none"]
            run += ["--race", f"{folder}/race.json", "--first", "none"]
            record = f"{folder}/records/{model}/0-{fold}.json"
            predictions = f"{folder}/runs/{model}/0-{fold}"
            _stage("train", *settings, *run, "--predictions", predictions, "--record", record)
    np.save(folder / "true.npy", labels)


def _stage(name: str, *args: str) -> None:
    import_module(f"stages.{name}").main(args)


def _add_noise(prepared: Path, noise: float) -> NDArray[np.int64]:
    """Give a share of the training images another class at random, and return the true labels."""
    info, samples = read_dataset(prepared).info, read_samples(prepared)
    rng, labels = np.random.default_rng(0), samples.labels.copy()
    wrong = rng.choice(info.n_train, round(noise * info.n_train), replace=False)
    samples.labels[wrong] += rng.integers(1, len(info.classes), len(wrong))
    samples.labels[wrong] %= len(info.classes)
    write_dataset(prepared, info, samples)
    return labels


def _row(folder: Path, params: Params, title: str) -> str:
    dataset = read_dataset(folder / "prepared")
    n = dataset.info.n_train
    labels, is_wrong = dataset.labels[:n], (np.load(folder / "true.npy") != dataset.labels)[:n]
    runs = [read_predictions(folder / f"runs/{m}/{r}-{f}") for m, r, f in params.runs]
    probabilities = mean_probabilities(runs, n, len(dataset.info.classes))
    accuracy = (probabilities.argmax(axis=1) == np.load(folder / "true.npy")[:n]).mean()
    found = suspicious_labels(labels, probabilities)
    ours = np.zeros(n, dtype=np.bool_)
    ours[found] = True
    theirs = find_label_issues(labels, probabilities, n_jobs=1)
    cells = [f"{100 * accuracy:.0f} %", f"{is_wrong.sum():,}", f"{is_wrong[found[:20]].sum()}"]
    for flagged in (ours, theirs):
        hits = (flagged & is_wrong).sum()
        precision, recall = hits / max(1, flagged.sum()), hits / is_wrong.sum()
        cells += [f"{flagged.sum():,}", f"{precision:.2f}", f"{recall:.2f}"]
    return f"| {title} | {' | '.join(cells)} |"


if __name__ == "__main__":
    run_main(main)
