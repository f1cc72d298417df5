"""The command `foldwise`: everything that is not a stage of the pipeline."""

import importlib
import sys
from collections.abc import Callable, Sequence
from functools import partial

from foldwise.core.errors import run_main
from foldwise.core.process import tune_python

COMMANDS = {
    "check": "say in one line each what is wrong in params.yaml",
    "advise": "propose architectures for the prepared images",
    "run": "bring the pipeline up to date with several trainings at a time",
}
USAGE = "usage: foldwise COMMAND [OPTIONS]; 'foldwise COMMAND --help' lists the options"


def main() -> None:
    """Run the subcommand that the command line names."""
    tune_python()
    try:
        run_main(partial(run_command, sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("foldwise: interrupted; run the same command again to go on with what is left")


def run_command(argv: Sequence[str]) -> None:
    """Run a subcommand, which is imported only now: most of them load torch.

    Args:
        argv: Name of the subcommand and its options.

    Raises:
        SystemExit: If there is no such subcommand, or help was asked for.
    """
    name, options = (argv[0], argv[1:]) if argv else ("", [])
    if name in COMMANDS:
        command: Callable[[Sequence[str]], None]
        command = importlib.import_module(f"foldwise.cli.{name}").main
        command(options)
        return
    commands = "\n".join(f"  {known:8} {text}" for known, text in COMMANDS.items())
    if name in ("-h", "--help"):
        print(f"{USAGE}\n\n{commands}")
        return
    problem = f"'{name}' is not a command" if name else "no command given"
    print(f"error: {problem}; expected {', '.join(COMMANDS)}\n{USAGE}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
