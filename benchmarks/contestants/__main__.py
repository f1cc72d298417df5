"""Train the folds of a case with one contestant and print the result as JSON."""

import argparse
import importlib
import json
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contestants.entry import open_entry
from foldwise.core.errors import run_main

MODULES = {
    "foldwise": "foldwise",
    "plain": "plain",
    "skorch": "with_skorch",
    "lightning": "with_lightning",
}


def main(argv: Sequence[str] | None = None) -> None:
    """Print the seconds of all folds without imports, and the accuracy of each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contestants", description=__doc__)
    parser.add_argument("name", choices=sorted(MODULES))
    parser.add_argument("--case", type=Path, required=True, help="folder of the case")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), required=True)
    parser.add_argument("--folds", type=int, nargs="+", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    args = parser.parse_args(argv)
    contestant = importlib.import_module(f"benchmarks.contestants.{MODULES[args.name]}")
    entry = open_entry(args.case, args.precision, args.folds, args.seed, args.workers)
    start = time.perf_counter()
    accuracies = contestant.train_folds(entry)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "accuracies": accuracies}))


if __name__ == "__main__":
    run_main(main)
