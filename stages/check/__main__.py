"""Check params.yaml, and write down the code that counts for what reruns."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from stages.check.closure import closures
from stages.check.root import provide_root
from stages.check.schema import check
from stages.check.slots import count_slots
from stages.contracts.code import write_code
from stages.contracts.command import run
from stages.contracts.params_file import read_yaml


def main(argv: Sequence[str] | None = None) -> None:
    """Write STAGE.json for every other stage, if all is sound."""
    parser = argparse.ArgumentParser(prog="python -m stages.check", description=__doc__)
    for flag in ("--params", "--pipeline", "--code", "--output"):
        parser.add_argument(flag, type=Path, required=True)
    given = parser.parse_args(argv)
    n_slots = count_slots(read_yaml(given.pipeline), str(given.pipeline))
    params = check(read_yaml(given.params), n_slots, str(given.params))
    provide_root(params.prepare.dataset, params.prepare.root, str(given.params))
    for stage, modules in closures(given.code).items():
        write_code(given.output / f"{stage}.json", modules)
    print(f"check: {given.params.name} is sound, {params.text} -> {given.output}")


if __name__ == "__main__":
    run(main)
