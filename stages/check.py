"""Check params.yaml, and write down the code that counts for what reruns."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.check")

from collections.abc import Sequence

from foldwise.core.errors import run_main
from foldwise.core.process import parse_options
from foldwise.files.project import check_project


def main(argv: Sequence[str] | None = None) -> None:
    """Write STAGE.json for every other stage, if all is sound."""
    args = parse_options("check", __doc__, argv, "params pipeline code output")
    print(check_project(args.params, args.pipeline, args.code, args.output))


if __name__ == "__main__":
    run_main(main)
