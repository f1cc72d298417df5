"""Compare the architectures of params.yaml on the same folds."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from foldwise.core.errors import run_main
from foldwise.files.card import read_card
from foldwise.files.fold_record import read_record, record_path
from foldwise.files.params import CompareParams, read_params
from foldwise.selection.compare import compare, summary_line, write_result
from foldwise.selection.records import describe_unused_records, require_cards, require_pairs


def main(argv: Sequence[str] | None = None) -> None:
    """Write comparison.json, verdict.json and the six files beside them."""
    parser = argparse.ArgumentParser(prog="python -m stages.compare", description=__doc__)
    for flag in ("--params", "--folds", "--models", "--output"):
        parser.add_argument(flag, type=Path, required=True)
    given = parser.parse_args(argv)
    params = read_params(given.params, CompareParams)
    paths = [record_path(given.folds, *planned) for planned in params.runs]
    records = {str(path): read_record(path) for path in paths}
    require_pairs(records, params)
    cards = {model: read_card(given.models / model) for model in params.models}
    require_cards(cards, records, str(given.models))
    if strays := describe_unused_records(given.folds, given.folds.rglob("*.json"), paths):
        print(f"warning: {strays}", file=sys.stderr)
    findings = compare(params, cards, list(records.values()))
    write_result(given.output, findings)
    print(f"compare: {summary_line(findings)} -> {given.output / 'verdict.json'}")


if __name__ == "__main__":
    run_main(main)
