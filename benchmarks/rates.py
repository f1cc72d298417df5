"""Each architecture at its tuned learning rate, beside the common rate and a grid of rates.

    python -m benchmarks.rates --params params.yaml --data ../shared/data --folder data/rates \
        --case digits-8 --models lenet5,nin

A case is a data set and a side in pixels: digits-8 or FashionMNIST-28, for example. With --folds 1,
only the first fold is trained, at the common and at the tuned rate. With --folds 0, none is, and
the accuracies are those of the short trainings that choose the rate. The results are lines of JSON
in FOLDER/CASE.jsonl; what is there is not trained again. It prints a row for each architecture, and
a summary.
"""

import argparse
import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.case import commands
from benchmarks.cases import DIGITS, FASHION, races
from benchmarks.settings import write_settings
from foldwise.core.errors import InputError, run_main
from foldwise.engine.hardware import set_up
from foldwise.engine.training import open_fold, train_fold
from foldwise.engine.tuning import tune_learning_rate
from foldwise.files.dataset import read_dataset
from foldwise.files.features import Features
from foldwise.files.params import Params, read_params
from foldwise.files.split import read_recipe, read_split
from foldwise.nets.proof import prove_trainable
from foldwise.nets.resolve import fit_network

SIZES = {"digits": (1400, 10, 5), "FashionMNIST": (3000, 4, 3)}  # images, epochs, folds
GRID = (1 / 4, 1 / 2, 1, 2, 4)  # times the common rate
FEW = 3  # candidates of a comparison
CHANCE = 1.5  # times 1 / classes: an accuracy up to which nothing was learned


def main() -> None:
    """Train the architectures that are not in the file yet, and print one row for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rates", description=__doc__)
    for name in ("params", "data", "folder"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--case", required=True)
    parser.add_argument("--models", default="")
    parser.add_argument("--folds", type=int, help="how many are trained; all if omitted")
    args = parser.parse_args()
    folder = args.folder / args.case
    params = _prepare(folder, args.case, args.params, args.data)
    n_folds = len(params.folds) if args.folds is None else args.folds
    results = args.folder / f"{args.case}.jsonl"
    lines = results.read_text().splitlines() if results.is_file() else []
    rows = {row["model"]: row for row in map(json.loads, lines)}
    for model in filter(None, args.models.split(",")):
        if model not in rows or ("error" not in rows[model] and rows[model]["n_folds"] < n_folds):
            rows[model] = {"model": model, "n_folds": n_folds}
            try:
                rows[model] |= _race(folder, model, params, n_folds)
            except InputError as error:
                rows[model]["error"] = str(error)
            with results.open("a") as file:
                file.write(json.dumps(rows[model]) + "\n")
        print(_table_row(rows[model]), flush=True)
    print("\n".join(_summary([row for row in rows.values() if "error" not in row])))


def _prepare(folder: Path, name: str, params: Path, data: Path) -> Params:
    """Run the stages up to augment for a case, and return its parameters."""
    title, side = name.rsplit("-", 1)
    images, epochs, n_folds = SIZES[title]
    roots = {case.title: case.root for case in [DIGITS, *races(data, folder)]}
    case = replace({"digits": DIGITS, "FashionMNIST": FASHION}[title], images=images, epochs=epochs)
    values = replace(case, root=roots[title].resolve()).settings()
    values["prepare"]["image_size"] = int(side)
    values |= {"folds": list(range(n_folds)), "hardware": {"threads": 1}}
    values["augment"]["flip"] = 0.0
    folder.mkdir(parents=True, exist_ok=True)
    write_settings(params, values, folder / "params.yaml")
    if not (folder / "recipe").exists():
        stages = commands(case, folder)
        for stage in ("prepare", "split", "augment"):
            subprocess.run(stages[stage], check=True)
    return read_params(folder / "params.yaml", "build", "train", "hardware", "folds")


def _race(folder: Path, model: str, params: Params, n_folds: int) -> dict[str, Any]:
    """Return the tuned rate, the accuracies of each rate by fold, and the seconds of both."""
    hardware, section = set_up(params.hardware), params.train
    data = (
        read_dataset(folder / "prepared"),
        read_split(folder / "split"),
        read_recipe(folder / "recipe"),
    )
    info = data[0].info
    network, _ = prove_trainable(fit_network(model, params.build, info), {}, info.seed)
    numbers = params.folds[: max(1, n_folds)]
    folds = [open_fold(data, (0, n), network, Features(), hardware.device) for n in numbers]
    start = time.perf_counter()
    tuned = [tune_learning_rate(network, {}, (fold, data[1]), section, hardware) for fold in folds]
    seconds = (time.perf_counter() - start) / len(tuned)
    common = section.common_rate
    rates = [common] if n_folds == 1 else [factor * common for factor in GRID]
    rates = [*rates, *(t.learning_rate for t in tuned)] if n_folds else []
    start, accuracies = time.perf_counter(), {}
    for rate in dict.fromkeys(rates):
        at_rate = network.with_learning_rate(rate)
        results = (train_fold(at_rate, {}, fold, section, hardware) for fold in folds)
        accuracies[rate] = [result.record.accuracy or 0.0 for result in results]
    n_trained = sum(map(len, accuracies.values()))
    return {
        "rate": tuned[0].learning_rate,
        "inside_each_fold": [t.learning_rate for t in tuned],
        "common": common,
        "tried": [t.model_dump() for t in tuned[0].tried],
        "accuracies": {str(rate): values for rate, values in accuracies.items()},
        "tune_seconds": round(seconds, 1),
        "fold_seconds": round((time.perf_counter() - start) / max(1, n_trained), 1),
        "n_classes": len(info.classes),
    }


def _numbers(row: dict[str, Any]) -> tuple[float, float, float, float]:
    """Return the accuracy at the common, the tuned and the best rate, and if tuned by fold."""
    if not row["accuracies"]:
        short = {t["learning_rate"]: t["accuracy"] or 0.0 for t in row["tried"]}
        common, tuned = short[row["common"]], short[row["rate"]]
        return common, tuned, max(short.values()), tuned
    means = {float(rate): fmean(values) for rate, values in row["accuracies"].items()}
    nested = [
        row["accuracies"][str(rate)][fold] for fold, rate in enumerate(row["inside_each_fold"])
    ]
    return means[row["common"]], means[row["rate"]], max(means.values()), fmean(nested)


def _table_row(row: dict[str, Any]) -> str:
    if "error" in row:
        return f"| {row['model']} | {row['error']} |"
    accuracies = " | ".join(f"{value:.3f}" for value in _numbers(row))
    return f"| {row['model']} | {row['rate']:g} | {accuracies} |"


def _summary(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield what the rows say together."""
    stuck = [r["model"] for r in rows if _numbers(r)[1] <= CHANCE / r["n_classes"]]
    yield f"{len(rows)} architectures; at chance with the tuned rate: {', '.join(stuck) or 'none'}"
    stuck = [r["model"] for r in rows if _numbers(r)[0] <= CHANCE / r["n_classes"]]
    yield f"at chance with the common rate: {', '.join(stuck) or 'none'}"
    full = [_numbers(row) for row in rows if row["n_folds"] > 1]
    if not full:
        return
    yield (
        f"mean regret against the best of the grid, {len(full)} architectures: "
        f"{100 * fmean(best - tuned for _, tuned, best, _ in full):.2f} points tuned, "
        f"{100 * fmean(best - common for common, _, best, _ in full):.2f} at the common rate"
    )
    n = min(FEW, len(full))
    for name, rate in (("tuned", 1), ("common", 0)):
        lost = fmean(
            max(numbers[2] for numbers in few) - max(numbers[rate] for numbers in few)
            for few in combinations(full, n)
        )
        yield f"the winner of {n} at its {name} rate, against that of the grid: {100 * lost:.2f}"
    flattery = fmean(tuned - nested for _, tuned, _, nested in full)
    yield f"tuned once minus tuned inside each fold: {100 * flattery:+.2f} points"


if __name__ == "__main__":
    run_main(main)
