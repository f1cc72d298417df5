"""Compare the architectures of params.yaml on the same folds."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.compare")

import sys
from collections.abc import Sequence
from pathlib import Path

from foldwise.core.errors import printable
from foldwise.core.process import parse_options
from foldwise.files.comparison import write_comparison
from foldwise.files.measurements import read_measurements
from foldwise.files.network import read_card
from foldwise.files.params import RUN_KEYS, read_params
from foldwise.files.tables import TABLES, write_table
from foldwise.files.verdict import write_verdict
from foldwise.run.guard import run_stage
from foldwise.selection.compare import compare
from foldwise.selection.cost import require_equal_machines
from foldwise.selection.history import read_history
from foldwise.selection.records import (
    describe_unused_records,
    read_records,
    records_of_checked,
    require_fair_comparison,
    require_matching_cards,
)


def main(argv: Sequence[str] | None = None) -> None:
    """Write comparison.json, verdict.json and the six files beside them."""
    paths = "params folds models extraction inspection output"
    args = parse_options("compare", __doc__, argv, paths)
    params = read_params(args.params, *RUN_KEYS, "resplit", "prepare", "compare")
    records = read_records(args.folds, params)
    require_fair_comparison(records, params)
    cards = {model: read_card(args.models / model) for model in params.models}
    require_matching_cards(cards, records, str(args.models))
    measured = {m: read_measurements(args.models, args.extraction, m) for m in params.models}
    require_equal_machines(params.compare.cost, records.values(), measured)
    present = args.folds.rglob("*.json")
    if unused := describe_unused_records(args.folds, present, map(Path, records)):
        print(f"warning: {printable(unused)}", file=sys.stderr)
    history = read_history(args.folds, args.output / "comparison.json", list(records.values()))
    checked = records_of_checked(records, args.inspection / "counts.json")
    result = compare(list(records.values()), cards, measured, params, history, checked)
    write_comparison(args.output, result.comparison, result.confused)
    write_verdict(args.output, result.verdict, result.metrics)
    for name, columns in TABLES.items():
        write_table(args.output / f"{name}.csv", getattr(result, name), columns)
    print(f"compare: {result.verdict.line} -> {args.output / 'verdict.json'}")


if __name__ == "__main__":
    run_stage(main)
