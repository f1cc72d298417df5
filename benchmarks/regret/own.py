"""What a choice after few epochs costs, on our own grid of architectures and data sets.

    python -m benchmarks.regret.own --grid benchmarks/regret/grid.csv

It prints the second table of docs/regret.md from what benchmarks.regret.grid has trained. Choices
are made by the rule of the verdict on the validation images of the folds. Their regret is the
accuracy on new images after the longest training: that of the best minus that of the chosen one.
"""

import argparse
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np

from benchmarks.regret.grid import EPOCHS, MODELS, TRAINED, read_rows, unpack_correct
from foldwise.core.errors import InputError, run_main
from foldwise.files.verdict import Criteria
from foldwise.selection.image_scores import RepeatScores
from foldwise.selection.pairs import compare_pairs

CRITERIA = Criteria(metric="accuracy", top_k=1, confidence=0.95, worth=0.01)
FEW = 3  # candidates of the smaller comparisons


class Runs(NamedTuple):
    """The trainings of one architecture with one number of epochs.

    Attributes:
        macs: Of one image.
        scores: Accuracy of each fold.
        images: Which validation images are classified right.
        new: Accuracy on new images, mean over the folds.
    """

    macs: int
    scores: list[float]
    images: RepeatScores
    new: float


class Choice(NamedTuple):
    """What a comparison chose, or the means of many.

    Attributes:
        rule: Regret of the choice by the rule of the verdict, in points.
        highest: Regret of the highest mean, in points.
        holds_best: Whether the truly best one is within `worth`.
    """

    rule: float
    highest: float
    holds_best: float


def main() -> None:
    """Print a row for each data set and number of epochs, and the means."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.regret.own", description=__doc__)
    parser.add_argument("--grid", type=Path, required=True)
    grid = read_grid(parser.parse_args().grid)
    if not grid:
        raise InputError("no data set is complete; run benchmarks.regret.grid first")
    print("\n".join(table(grid)))


def read_grid(path: Path) -> dict[str, dict[int, dict[str, Runs]]]:
    """Return the trainings of each data set that is complete, by epochs and architecture."""
    rows: dict[tuple[str, int, str], list[dict[str, str]]] = {}
    for row in read_rows(path):
        rows.setdefault((row["data"], int(row["epochs"]), row["model"]), []).append(row)
    names = dict.fromkeys(data for data, _, _ in rows)
    complete = [
        name
        for name in names
        if all(len(rows.get((name, n, m), [])) == len(TRAINED) for n in EPOCHS for m in MODELS)
    ]
    return {
        name: {n: {m: _runs(rows[name, n, m]) for m in MODELS} for n in EPOCHS} for name in complete
    }


def _runs(rows: Sequence[Mapping[str, str]]) -> Runs:
    values = np.concatenate([unpack_correct(row["correct"]) for row in rows]).astype(float)
    return Runs(
        macs=int(rows[0]["macs"]),
        scores=[float(row["accuracy"]) for row in rows],
        images=RepeatScores(np.full(len(values), 1 / len(values)), values),
        new=fmean(float(row["new"]) for row in rows),
    )


def choose(runs: Mapping[str, Runs], final: Mapping[str, Runs], names: Collection[str]) -> Choice:
    """Return the choice among some architectures, and what it costs after the longest training."""
    ranked = sorted(names, key=lambda name: (-fmean(runs[name].scores), name))
    pairs = compare_pairs(
        {name: [runs[name].scores] for name in ranked},
        CRITERIA,
        resplit=True,
        images={name: [runs[name].images] for name in ranked},
    )
    shortfalls = {pair.second: pair.expected_shortfall for pair in pairs if pair.first == ranked[0]}
    within = [name for name in ranked if shortfalls.get(name, 0.0) <= CRITERIA.worth]
    chosen = min(within, key=lambda name: (runs[name].macs, name))
    best = max(names, key=lambda name: final[name].new)
    rule, highest = (100 * (final[best].new - final[name].new) for name in (chosen, ranked[0]))
    return Choice(rule, highest, best in within)


def table(grid: Mapping[str, Mapping[int, Mapping[str, Runs]]]) -> Iterator[str]:
    """Yield the rows of the table."""
    columns = ("rule", "highest mean", "best within `worth`")
    names = [*columns, *(f"{column}, {FEW} candidates" for column in columns)]
    yield f"| data set | epochs | {' | '.join(names)} |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for epochs in EPOCHS:
        for name in grid:
            yield f"| {name} | {epochs} | {_cells({name: grid[name]}, epochs)} |"
        yield f"| **mean** | {epochs} | {_cells(grid, epochs)} |"


def _cells(grid: Mapping[str, Mapping[int, Mapping[str, Runs]]], epochs: int) -> str:
    costs = [mean_cost(grid, epochs, n) for n in (len(MODELS), FEW)]
    texts = [(f"{c.rule:.2f}", f"{c.highest:.2f}", f"{100 * c.holds_best:.0f} %") for c in costs]
    return " | ".join(chain(*texts))


def mean_cost(
    grid: Mapping[str, Mapping[int, Mapping[str, Runs]]], epochs: int, n_candidates: int
) -> Choice:
    """Return the means over all data sets, and over all sets of so many candidates."""
    means = []
    for by_epochs in grid.values():
        runs, final = by_epochs[epochs], by_epochs[EPOCHS[-1]]
        means.append(_mean(choose(runs, final, c) for c in combinations(MODELS, n_candidates)))
    return _mean(means)


def _mean(choices: Iterable[Choice]) -> Choice:
    return Choice(*map(fmean, zip(*choices, strict=True)))


if __name__ == "__main__":
    run_main(main)
