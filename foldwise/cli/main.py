"""The command `foldwise`: everything that is not a stage of the pipeline."""

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from foldwise.core.errors import InputError, run_main
from foldwise.core.process import tune_python


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
        from foldwise.files.project import check_project

        print(check_project(args.params, args.pipeline, args.pipeline.parent, args.output))
    elif args.command == "advise":
        from foldwise.cli.advise import run_advise

        run_advise(args.params, args.dataset, write=args.write)
    else:
        if args.address is None and (args.remote, args.gpus) != (None, None):
            args.parser.error("--remote and --gpus are options of a cluster; add --address")
        run_pipeline(args)


def run_pipeline(args: argparse.Namespace) -> None:
    """Bring everything up to date with parallel trainings; with --list, only list the stale ones.

    This is no stage of dvc.yaml, because it runs DVC, once for each stale training.

    Args:
        args: Options of `foldwise run`.

    Raises:
        InputError: If a stage fails, or if the options do not fit params.yaml or this machine.
    """
    from foldwise.core.atomic import write_text
    from foldwise.files.params import read_params
    from foldwise.run import local_backend
    from foldwise.run.dvc import UPSTREAM, open_pipeline

    hardware = read_params(args.params, "hardware").hardware
    if args.address:
        if importlib.util.find_spec("ray") is None:
            raise InputError("--address needs Ray, which is missing: pip install -e '.[cluster]'")
        from foldwise.run import ray_backend

        target = ray_backend.choose_target(args.address, args.remote, args.gpus, hardware)
    else:
        slots = local_backend.find_slots(args.jobs, hardware)
    with open_pipeline() as pipeline:
        pipeline.run("repro", *UPSTREAM)
        stages = pipeline.stale_trainings()
        n_stale = f"{len(stages) or 'no'} stale training{'' if len(stages) == 1 else 's'}"
        if args.list:
            write_text(args.list, "".join(f"{stage}\n" for stage in stages))
            print(f"run: {n_stale} -> {args.list}")
            return
        if stages:
            where = f"on {args.address}" if args.address else f"{len(slots)} at a time"
            print(f"run: {n_stale}, {where}", flush=True)
            if args.address:
                failures = ray_backend.run_on_cluster(stages, target, pipeline)
            else:
                failures = local_backend.run_local(stages, slots, pipeline)
            if failures:
                raise InputError("\n".join(f"{stage}: {why}" for stage, why in failures.items()))
        pipeline.run("repro")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="foldwise")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    texts = {
        "check": "report the errors in params.yaml, one on each line",
        "advise": "propose architectures for the prepared images",
        "run": "bring the pipeline up to date with parallel trainings",
    }
    check, advise, run = (
        commands.add_parser(name, help=text, description=text) for name, text in texts.items()
    )
    for command in (check, advise, run):
        command.add_argument("--params", type=Path, default=Path("params.yaml"))
    check.add_argument("--pipeline", type=Path, default=Path("dvc.yaml"))
    check.set_defaults(output=Path("data/checked"))
    advise.add_argument("--dataset", type=Path, default=Path("data/prepared"))
    advise.add_argument("--write", action="store_true", help="write the proposals to the params")
    target = run.add_mutually_exclusive_group()
    target.add_argument("--jobs", type=int, help="parallel trainings; default: as many as fit")
    target.add_argument("--list", type=Path, help="write the stale trainings to a file; train none")
    target.add_argument("--address", help="train on the Ray cluster at HOST:PORT or auto (local)")
    run.add_argument(
        "--remote", help="DVC remote for the data of the cluster; default: core.remote"
    )
    run.add_argument("--gpus", type=float, help="share of a GPU for a training on the cluster")
    run.set_defaults(parser=run)
    return parser


if __name__ == "__main__":
    main()
