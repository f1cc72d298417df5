"""The command `foldwise`: everything that is not a stage of the pipeline."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from foldwise.core.errors import run_main
from foldwise.core.process import tune_python

FINAL = "final/dvc.yaml"


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
    if args.command == "check":
        _check(args)
    elif args.command == "reset":
        from foldwise.run.dvc import open_dvc
        from foldwise.run.reset import reset

        with open_dvc() as pipeline:
            for line in reset(pipeline):
                print(f"reset: {line}", flush=True)
    elif args.command == "candidates":
        from foldwise.cli.candidates import run_candidates

        run_candidates(args.params, args.pipeline, args.names)
    elif args.command == "advise":
        from foldwise.cli.advise import run_advise

        run_advise(args)
    elif args.command == "predict":
        from foldwise.cli.predict import run_predict

        run_predict(args)
    else:
        if args.address is None and (args.remote, args.gpus) != (None, None):
            args.parser.error("--remote and --gpus are options of a cluster; add --address")
        from foldwise.cli.run import run_pipeline

        run_pipeline(args)


def _check(args: argparse.Namespace) -> None:
    from foldwise.files.project import check_project
    from foldwise.run.repair import repair_dvc_files

    for line in repair_dvc_files():
        print(f"check: {line}")
    print(check_project(args.params, args.pipeline, args.pipeline.parent, args.output))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="foldwise")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    texts = {
        "check": "report the errors in params.yaml, one on each line",
        "candidates": "compare these architectures, however many; without names, list the present",
        "advise": "propose architectures for the prepared images",
        "reset": "go back to the last commit, after an experiment or a stop",
        "run": "bring the pipeline up to date, with parallel trainings where the machine has room",
        "final": "train the choice on all images, test it once and export it",
        "predict": "classify image files with an exported model",
    }
    check, candidates, advise, _, run, final, predict = (
        commands.add_parser(name, help=text, description=text) for name, text in texts.items()
    )
    for command in (check, candidates, advise, run, final):
        command.add_argument("--params", type=Path, default=Path("params.yaml"))
        command.add_argument("--pipeline", type=Path, default=Path("dvc.yaml"))
        command.set_defaults(output=Path("data/checked"))
    candidates.add_argument("names", nargs="*", metavar="NAME", help="an architecture")
    advise.add_argument("--dataset", type=Path, default=Path("data/prepared"))
    advise.add_argument("--write", action="store_true", help="write the proposals to the params")
    target = run.add_mutually_exclusive_group()
    for group in (target, final):
        group.add_argument("--jobs", type=int, help="parallel trainings; default: as many as fit")
    target.add_argument("--list", type=Path, help="write the stale trainings to a file; train none")
    target.add_argument("--address", help="train on the Ray cluster at HOST:PORT or auto (local)")
    run.add_argument(
        "--remote", help="DVC remote for the data of the cluster; default: core.remote"
    )
    run.add_argument("--gpus", type=float, help="share of a GPU for a training on the cluster")
    run.set_defaults(parser=run, targets=())
    final.set_defaults(parser=final, targets=(FINAL,), list=None, address=None, remote=None)
    final.set_defaults(gpus=None)
    _add_predict_options(predict)
    return parser


def _add_predict_options(predict: argparse.ArgumentParser) -> None:
    predict.add_argument(
        "model",
        type=Path,
        metavar="MODEL",
        help="folder with model.json and model.safetensors, such as data/final/export",
    )
    predict.add_argument(
        "images",
        nargs="+",  # with "*", argparse takes no images behind an option
        metavar="IMAGES",
        help="files, folders (with sub-folders) or patterns; - reads paths from standard input",
    )
    predict.add_argument("--output", type=Path, help="file to write; default: standard output")
    predict.add_argument("--format", choices=("csv", "jsonl"), default="csv", help="default: csv")
    for name, default, text in (
        ("--top", 3, "number of classes to write"),
        ("--batch-size", 64, "images that are computed together"),
    ):
        predict.add_argument(
            name, type=_positive, default=default, metavar="N", help=f"{text}; default: {default}"
        )
    predict.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")


def _positive(text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")


if __name__ == "__main__":
    main()
