"""Check params.yaml, and write down the code that counts for what reruns."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from foldwise.core.errors import run_main
from foldwise.files.project import check_project


def main(argv: Sequence[str] | None = None) -> None:
    """Write STAGE.json for every other stage, if all is sound."""
    parser = argparse.ArgumentParser(prog="python -m stages.check", description=__doc__)
    for flag in ("--params", "--pipeline", "--code", "--output"):
        parser.add_argument(flag, type=Path, required=True)
    args = parser.parse_args(argv)
    print(check_project(args.params, args.pipeline, args.code, args.output))


if __name__ == "__main__":
    run_main(main)
