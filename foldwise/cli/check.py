"""foldwise check: say in one line each what is wrong in params.yaml."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from foldwise.files.project import check_project


def main(argv: Sequence[str]) -> None:
    """Check params.yaml as the stage check does, in the folder of dvc.yaml."""
    parser = argparse.ArgumentParser(prog="foldwise check", description=__doc__)
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--pipeline", type=Path, default=Path("dvc.yaml"))
    args = parser.parse_args(argv)
    print(check_project(args.params, args.pipeline, args.pipeline.parent, Path("data/checked")))
