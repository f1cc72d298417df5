"""What a choice after few epochs costs, on public learning curves and end results.

    python -m benchmarks.regret.public --curves ../shared/regret

It prints the tables of docs/regret.md. The regret of a choice is the final accuracy of the best of
the candidates minus that of the chosen one. Its mean over all sets of random candidates is exact;
only the race is drawn.
"""

import argparse
import csv
import re
import sys
from collections.abc import Iterator
from math import comb
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from foldwise.core.errors import InputError, run_main
from foldwise.selection.race import half_width

Numbers = NDArray[np.float64]

DATA_SETS = {
    "naap": "NAAP-440 (CIFAR-10)",
    "metaqnn_cifar10": "MetaQNN (CIFAR-10)",
    "metaqnn_svhn": "MetaQNN (SVHN)",
    "deep_resnets_cifar10": "deep ResNets (CIFAR-10)",
    "deep_resnets_tinyimagenet": "deep ResNets (TinyImageNet)",
}
EPOCHS = (1, 3, 5, 10)
CANDIDATES = (3, 10)
ACCURACY = re.compile(r"acc_\d+|e\d+Accuracy")  # columns, in the order of the epochs
N_SEEDS = 3
IMAGES = 50_000  # of the validation set of ImageNet
CONFIDENCE, WORTH = 0.95, 0.01  # the defaults of `compare`
DRAWS = 20_000  # sets of candidates, for each first seed


class Curves(NamedTuple):
    """Networks that have trained.

    Attributes:
        accuracy: (n, epochs) after each epoch.
        sizes: (n,) number of parameters, or a number that grows with it.
    """

    accuracy: Numbers
    sizes: Numbers


class EndResults(NamedTuple):
    """Networks of Accel-NASBench.

    Attributes:
        short: (seeds, n) accuracy of complete short runs.
        final: (n,) accuracy of the costly runs, mean of the seeds.
        sizes: (n,) number of parameters.
    """

    short: Numbers
    final: Numbers
    sizes: Numbers


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.regret.public", description=__doc__)
    parser.add_argument("--curves", type=Path, required=True)
    folder = parser.parse_args().curves
    if not (folder / "naap.csv").is_file():
        raise InputError(f"{folder}: holds no naap.csv; give the folder of the public curves")
    lines = [*snapshot_table(folder), "", *short_run_table(read_end_results(folder))]
    sys.stdout.writelines(f"{line}\n" for line in lines)


def read_curves(path: Path) -> Curves:
    """Return the curves of the networks that end over half of the median accuracy.

    The others have never trained.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = [column for column in rows[0] if ACCURACY.fullmatch(column)]
    accuracy = np.array([[float(row[column]) for column in columns] for row in rows])
    trained = accuracy[:, -1] >= np.median(accuracy[:, -1]) / 2
    return Curves(accuracy[trained], np.array([_size(row) for row in rows])[trained])


def _size(row: dict[str, str]) -> float:
    """Return the parameters; for residual networks without their number, blocks · (width · k)²."""
    if count := row.get("NumParams") or row.get("num_params"):
        return float(count)
    blocks, width, kernel = (
        float(row[key]) for key in ("num_blocks", "num_filters", "filter_size")
    )
    return blocks * (width * kernel) ** 2


def read_end_results(folder: Path) -> EndResults:
    """Return the networks that are in all six files, matched by their architecture."""
    names = [f"{kind}-{1 + n}" for kind in ("proxified", "fewproxy") for n in range(N_SEEDS)]
    files = [_by_architecture(folder / f"{name}.csv") for name in names]
    common = sorted(set.intersection(*map(set, files)))
    top1 = np.array([[float(file[key][4]) / 100 for key in common] for file in files])
    final = top1[N_SEEDS:].mean(axis=0)
    return EndResults(top1[:N_SEEDS], final, np.array([float(files[0][key][7]) for key in common]))


def _by_architecture(path: Path) -> dict[tuple[str, ...], list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {tuple(row[9:]): row for row in csv.reader(file)}


def mean_regret(scores: Numbers, final: Numbers, k: int) -> float:
    """Return the mean regret, in points, of the best score of k random networks.

    The mean is over all sets of k. Equal scores are chosen equally often.

    Args:
        scores: (n,) by which the best of the k is chosen.
        final: (n,) accuracy that counts.
        k: Candidates.
    """
    return 100 * (_mean_of_chosen(final, final, k) - _mean_of_chosen(scores, final, k))


def _mean_of_chosen(scores: Numbers, final: Numbers, k: int) -> float:
    n, order = len(scores), np.argsort(scores)
    highest = np.array([comb(rank, k - 1) / comb(n, k) for rank in range(n)])  # of the k
    _, group, sizes = np.unique(scores[order], return_inverse=True, return_counts=True)
    means = np.bincount(group, final[order]) / sizes
    return float(highest @ means[group])


class Raced(NamedTuple):
    """The race over seeds instead of folds, mean over sets of candidates and first seeds.

    Attributes:
        regret: Of the highest mean of three seeds that goes on, in points.
        trained: Share of the trainings.
    """

    regret: float
    trained: float


def race(results: EndResults, k: int, seed: int = 0) -> Raced:
    """Return the mean outcome of races among k random networks.

    A network is stopped after the first seed as an architecture is after the first fold. Which
    images are classified right is not known, so those of two networks count as independent.
    """
    rng, outcomes = np.random.default_rng(seed), []
    means, variances = results.short.mean(axis=0), results.short * (1 - results.short) / IMAGES
    for first, variance in zip(results.short, variances, strict=True):
        draws = rng.random((DRAWS, len(first))).argpartition(k - 1, axis=1)[:, :k]
        best = np.take_along_axis(draws, first[draws].argmax(axis=1)[:, None], axis=1)
        errors, row = np.unique(np.sqrt(variance[best] + variance[draws]), return_inverse=True)
        half = np.array([half_width(error, CONFIDENCE) for error in errors.tolist()])
        goes_on = first[best] - first[draws] - half[row].reshape(draws.shape) <= WORTH
        chosen = np.where(goes_on, means[draws], -1).argmax(axis=1)
        final = results.final[draws]
        lost = final.max(axis=1) - final[np.arange(DRAWS), chosen]
        outcomes.append((100 * lost.mean(), (1 + (N_SEEDS - 1) * goes_on.mean()) / N_SEEDS))
    return Raced(*np.mean(outcomes, axis=0).tolist())


def snapshot_table(folder: Path) -> Iterator[str]:
    """Yield the regret of snapshots in Markdown."""
    epochs = " | ".join(f"epoch {epoch}" for epoch in EPOCHS)
    yield f"| curves | networks | epochs | candidates | {epochs} | most parameters | random |"
    yield "| --- " + "| ---: " * (5 + len(EPOCHS)) + "|"
    for name, title in DATA_SETS.items():
        accuracy, sizes = read_curves(folder / f"{name}.csv")
        rules = [*(accuracy[:, epoch - 1] for epoch in EPOCHS), sizes, np.zeros(len(sizes))]
        for k in CANDIDATES:
            regrets = [f"{mean_regret(rule, accuracy[:, -1], k):.2f}" for rule in rules]
            shape = " | ".join(map(str, accuracy.shape))
            yield f"| {title} | {shape} | {k} | {' | '.join(regrets)} |"


def short_run_table(results: EndResults) -> Iterator[str]:
    """Yield the regret of complete short runs in Markdown."""
    yield (
        "| candidates | one short run | mean of three | with the race | trainings with the race "
        "| most parameters | random |"
    )
    yield "| ---: " * 7 + "|"
    for k in CANDIDATES:
        one_run = np.mean([mean_regret(run, results.final, k) for run in results.short])
        raced = race(results, k)
        rules = (results.short.mean(axis=0), results.sizes, np.zeros(len(results.sizes)))
        mean, most, random = (mean_regret(rule, results.final, k) for rule in rules)
        yield (
            f"| {k} | {one_run:.3f} | {mean:.3f} | {raced.regret:.3f} "
            f"| {100 * raced.trained:.0f} % | {most:.3f} | {random:.3f} |"
        )


if __name__ == "__main__":
    run_main(main)
