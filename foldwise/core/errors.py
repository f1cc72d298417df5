"""How every stage ends: a wrong input is one line on stderr and a non-zero exit."""

import os
import sys
from collections.abc import Callable


class InputError(ValueError):
    """Something that the user gave is wrong: the thing, its value, where it is, what to do.

    A message of several lines holds several errors, one a line.
    """


def run_main(main: Callable[[], None]) -> None:
    """Call a stage's main, and end the process.

    An `InputError` is printed without its traceback, every line after "error: ", and the process
    ends with 1. Every other exception is our bug and passes.

    Raises:
        SystemExit: If main raised an InputError, or its options are wrong.
    """
    try:
        main()
    except InputError as error:
        sys.exit("\n".join(f"error: {line}" for line in str(error).split("\n")))
    # All files are closed. Taking torch's modules and libraries apart would be .7 to 1 s a fold.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
