"""Train a grid of architectures on four data sets, each for 3, 10 and 30 epochs.

    python -m benchmarks.regret.grid --params params.yaml --data ../shared/data --folder data/regret

Every training is a whole cycle of its own at the rate that `tune` finds for it, on three of five
folds of 1,000 images. After it, the network classifies images that no fold holds. A line for each
training goes to FOLDER/grid.csv; what is there is not trained again. It takes two hours on two
cores, with one process for half of the data sets (`--sets`) on each.
"""

import argparse
import base64
import csv
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.case import Case, commands
from benchmarks.settings import write_settings
from foldwise.core.errors import run_main
from foldwise.engine.hardware import Hardware, set_up
from foldwise.engine.inputs import Fold
from foldwise.engine.training import open_fold, open_trainer
from foldwise.engine.tuning import tune_learning_rate
from foldwise.files.dataset import NO_DIGESTS, Dataset, read_dataset
from foldwise.files.features import Features
from foldwise.files.network import Network
from foldwise.files.params import Params, TrainSection, read_params
from foldwise.files.split import read_recipe, read_split
from foldwise.nets.card import describe_card
from foldwise.nets.proof import prove_trainable
from foldwise.nets.resolve import fit_network
from foldwise.nets.weights.pretrained import load_pretrained

IMAGES = 1000  # that are split into folds
N_FOLDS = 5  # into which they are split
TRAINED = (0, 1, 2)  # folds
EPOCHS = (3, 10, 30)
MOST_NEW_IMAGES = 2000  # that no fold holds
MODELS = (
    "lenet5",
    "shufflenet_v2_x0_5",
    "mobilenet_v3_small",
    "mnasnet0_5",
    "narrow_vgg",
    "slim_vgg",
    "resnet20",
    "small_alexnet",
)
COLUMNS = ("data", "epochs", "model", "macs", "rate", "fold", "accuracy", "new", "correct")


def main() -> None:
    """Train what is not in the file yet."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.regret.grid", description=__doc__)
    for name in ("params", "data", "folder"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--sets", default="digits,signs,FashionMNIST,CIFAR-10")
    args = parser.parse_args()
    results = args.folder / "grid.csv"
    sections = _data_sets(args.data, args.folder)
    for name, model, epochs in product(args.sets.split(","), args.models.split(","), EPOCHS):
        cell = {"data": name, "epochs": str(epochs), "model": model}
        known = [row for row in read_rows(results) if cell.items() <= row.items()]
        todo = [fold for fold in TRAINED if str(fold) not in {row["fold"] for row in known}]
        if todo:
            params = _prepare(args.folder / name, sections[name], args.params)
            rate = float(known[0]["rate"]) if known else None
            rows = list(_train(args.folder / name, model, epochs, params, todo, rate))
            _append(results, [cell | row for row in rows])
            print(f"{name} {model} {epochs} {[row['accuracy'] for row in rows]}", flush=True)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of grid.csv; none if there is no such file."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def unpack_correct(text: str) -> NDArray[np.bool_]:
    """Return which of the validation images of a fold were classified right."""
    n_images = IMAGES // N_FOLDS
    packed = np.frombuffer(base64.b64decode(text), np.uint8)
    return np.unpackbits(packed, count=n_images).astype(bool)


def _data_sets(data: Path, folder: Path) -> dict[str, dict[str, Any]]:
    """Return the section prepare of each data set, archives unpacked."""
    photos = {}
    for name, archive in (("CIFAR-10", "cifar10-jpg.zip"), ("signs", "sign-digits-jpg.zip")):
        photos[name] = folder / "photos" / name
        if not photos[name].is_dir():
            with zipfile.ZipFile(data / archive) as file:
                file.extractall(photos[name])
    return {
        "digits": {"dataset": "digits", "image_size": 16, "test_fraction": 0.44},
        "signs": {
            "dataset": "folder",
            "root": str(photos["signs"]),
            "image_size": 16,
            "test_fraction": 0.5,
        },
        "FashionMNIST": {
            "dataset": "FashionMNIST",
            "root": str((data / "fashion-mnist").resolve()),
            "image_size": 16,
        },
        "CIFAR-10": {"dataset": "folder", "root": str(photos["CIFAR-10"]), "image_size": 16},
    }


def _prepare(folder: Path, section: dict[str, Any], params: Path) -> Params:
    """Run the stages up to augment for a data set, and return its parameters."""
    values = {
        "prepare": section | {"limit": IMAGES, "near_duplicates": "ignore"},
        "folds": list(range(N_FOLDS)),
        "hardware": {"threads": 1},
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_settings(params, values, folder / "params.yaml")
    if not (folder / "recipe").exists():
        stages = commands(Case("", Path(), "", "", 0, 0, 0), folder)
        for stage in ("prepare", "split", "augment"):
            subprocess.run(stages[stage], check=True, stdout=sys.stderr)
    return read_params(folder / "params.yaml", "build", "train", "hardware")


def _train(
    folder: Path, model: str, epochs: int, params: Params, todo: Sequence[int], rate: float | None
) -> Iterator[dict[str, Any]]:
    """Yield the row of each fold to do; the learning rate is tuned unless one is given."""
    hardware = set_up(params.hardware)
    section = params.train.model_copy(update={"epochs": epochs})
    data = (
        read_dataset(folder / "prepared"),
        read_split(folder / "split"),
        read_recipe(folder / "recipe"),
    )
    info = data[0].info
    fitted = fit_network(model, params.build, info)
    network, pretrained = load_pretrained(fitted, params.build.of(model), NO_DIGESTS)
    network, _ = prove_trainable(network, pretrained.tensors, info.seed)
    card, _ = describe_card(network, pretrained, info.classes)
    folds = {n: open_fold(data, (0, n), network, Features(), hardware.device) for n in TRAINED}
    if rate is None:
        tuned = tune_learning_rate(network, {}, (folds[TRAINED[0]], data[1]), section, hardware)
        rate = tuned.learning_rate
    network = network.with_learning_rate(rate)
    for number in todo:
        scores = _train_fold(network, data[0], folds[number], section, hardware)
        yield {"macs": card.macs, "rate": rate, "fold": number} | scores


def _train_fold(
    network: Network, dataset: Dataset, fold: Fold, section: TrainSection, hardware: Hardware
) -> dict[str, Any]:
    """Return the accuracy on the validation images and on new images; 0 if it diverged."""
    trainer, _ = open_trainer(network, {}, fold, section, hardware)
    result = trainer.fit()
    labels, n_train = dataset.labels, dataset.info.n_train
    new = np.arange(n_train, len(labels))
    if len(new) > MOST_NEW_IMAGES:  # they may be in the order of their classes
        new = np.random.default_rng(dataset.info.seed).choice(new, MOST_NEW_IMAGES, replace=False)
    if result.diverged or result.last is None:
        correct, new_correct = np.zeros(len(fold.validation), bool), np.zeros(len(new), bool)
    else:
        correct = result.last.argmax(1) == labels[fold.validation]
        new_correct = trainer.logits(new).argmax(1) == labels[new]
    packed = base64.b64encode(np.packbits(correct).tobytes()).decode()
    return {
        "accuracy": round(float(correct.mean()), 6),
        "new": round(float(new_correct.mean()), 6),
        "correct": packed,
    }


def _append(path: Path, rows: list[dict[str, Any]]) -> None:
    """Add rows to grid.csv."""
    is_new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if is_new:
            writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    run_main(main)
