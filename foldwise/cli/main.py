"""The command `foldwise`: everything that is not a stage of the pipeline."""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

from foldwise.core.errors import run_main
from foldwise.core.process import tune_python

FINAL = "final/dvc.yaml"
JOBS = "parallel trainings; default: as many as fit"
CHECKED = Path("data/checked")
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def main() -> None:
    """Run the subcommand that the command line names."""
    tune_python()
    try:
        run_main(partial(run_command, sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("foldwise: interrupted; run the same command again to continue")


def run_command(argv: Sequence[str]) -> None:
    """Run a subcommand. It imports its modules only now, because most of them need torch.

    Args:
        argv: Name of the subcommand and its options.

    Raises:
        SystemExit: If the command line is wrong, or if it asks for help.
    """
    args = _parser().parse_args(argv)
    args.handler(args)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="foldwise")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (
        *(_add_check, _add_candidates, _add_advise, _add_reset),
        *(_add_run, _add_final, _add_predict, _add_evaluate),
    ):
        add(commands)
    return parser


def _add(
    commands: Commands, name: str, text: str, handler: Callable[[argparse.Namespace], None]
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.set_defaults(handler=handler)
    return command


def _add_files(command: argparse.ArgumentParser) -> None:
    command.add_argument("--params", type=Path, default=Path("params.yaml"))
    command.add_argument("--pipeline", type=Path, default=Path("dvc.yaml"))


def _add_check(commands: Commands) -> None:
    def handler(args: argparse.Namespace) -> None:
        from foldwise.files.project import check_project
        from foldwise.run.repair import repair_dvc_files

        for line in repair_dvc_files():
            print(f"check: {line}")
        print(check_project(args.params, args.pipeline, args.pipeline.parent, CHECKED))

    _add_files(
        _add(commands, "check", "report the errors in params.yaml, one on each line", handler)
    )


def _add_candidates(commands: Commands) -> None:
    def handler(args: argparse.Namespace) -> None:
        from foldwise.cli.candidates import run_candidates

        run_candidates(args.params, args.pipeline, args.names)

    text = "compare these architectures, however many; without names, list the present"
    command = _add(commands, "candidates", text, handler)
    _add_files(command)
    command.add_argument("names", nargs="*", metavar="NAME", help="an architecture")


def _add_advise(commands: Commands) -> None:
    def handler(args: argparse.Namespace) -> None:
        from foldwise.cli.advise import run_advise

        run_advise(args)

    command = _add(commands, "advise", "propose architectures for the prepared images", handler)
    _add_files(command)
    command.add_argument("--dataset", type=Path, default=Path("data/prepared"))
    command.add_argument("--write", action="store_true", help="write the proposals to the params")


def _add_reset(commands: Commands) -> None:
    def handler(_: argparse.Namespace) -> None:
        from foldwise.run.dvc import open_dvc
        from foldwise.run.reset import reset

        with open_dvc() as pipeline:
            for line in reset(pipeline):
                print(f"reset: {line}", flush=True)

    _add(commands, "reset", "go back to the last commit, after an experiment or a stop", handler)


def _add_run(commands: Commands) -> None:
    def handler(args: argparse.Namespace) -> None:
        if args.address is None and (args.remote, args.gpus) != (None, None):
            command.error("--remote and --gpus are options of a cluster; add --address")
        from foldwise.cli.run import Cluster, list_trainings, run_pipeline

        cluster = args.address and Cluster(args.address, args.remote, args.gpus)
        if args.list:
            list_trainings(args.list)
        else:
            run_pipeline(jobs=args.jobs, cluster=cluster)

    text = "bring the pipeline up to date, with parallel trainings where the machine has room"
    command = _add(commands, "run", text, handler)
    target = command.add_mutually_exclusive_group()
    target.add_argument("--jobs", type=int, help=JOBS)
    target.add_argument("--list", type=Path, help="write the stale trainings to a file; train none")
    target.add_argument("--address", help="train on the Ray cluster at HOST:PORT or auto (local)")
    command.add_argument(
        "--remote", help="DVC remote for the data of the cluster; default: core.remote"
    )
    command.add_argument("--gpus", type=float, help="share of a GPU for a training on the cluster")


def _add_final(commands: Commands) -> None:
    def handler(args: argparse.Namespace) -> None:
        from foldwise.cli.run import run_pipeline

        run_pipeline(FINAL, jobs=args.jobs)

    text = "train the choice on all images, test it once and export it"
    _add(commands, "final", text, handler).add_argument("--jobs", type=int, help=JOBS)


def _add_predict(commands: Commands) -> None:
    def handler(args: argparse.Namespace) -> None:
        from foldwise.cli.predict import run_predict

        run_predict(args)

    predict = _add(commands, "predict", "classify image files with an exported model", handler)
    _add_model(predict)
    predict.add_argument(
        "images",
        nargs="+",  # with "*", argparse takes no images behind an option
        metavar="IMAGES",
        help="files, folders (with sub-folders) or patterns; - reads paths from standard input",
    )
    predict.add_argument("--output", type=Path, help="file to write; default: standard output")
    predict.add_argument("--format", choices=("csv", "jsonl"), default="csv", help="default: csv")
    _add_number(predict, "--top", 3, "number of classes to write")


def _add_evaluate(commands: Commands) -> None:
    def handler(args: argparse.Namespace) -> None:
        from foldwise.cli.evaluate import run_evaluate

        run_evaluate(args)

    command = _add(commands, "evaluate", "score an exported model on new labelled images", handler)
    _add_model(command)
    text = "a folder of class folders, or a CSV file with the columns file and label"
    command.add_argument("data", type=Path, metavar="DATA", help=text)
    command.add_argument("--output", type=Path, help="JSON file to write")


def _add_model(command: argparse.ArgumentParser) -> None:
    text = "folder with model.json and model.safetensors, such as data/final/export"
    command.add_argument("model", type=Path, metavar="MODEL", help=text)
    _add_number(command, "--batch-size", 64, "images that are computed together")
    command.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")


def _add_number(command: argparse.ArgumentParser, name: str, default: int, text: str) -> None:
    text = f"{text}; default: {default}"
    command.add_argument(name, type=_positive, default=default, metavar="N", help=text)


def _positive(text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")


if __name__ == "__main__":
    main()
