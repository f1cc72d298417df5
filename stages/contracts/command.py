"""How every stage ends: a wrong input is one line on stderr and a non-zero exit."""

import sys
from collections.abc import Callable


class InputError(ValueError):
    """Something that the user gave is wrong: the thing, its value, where it is, what to do.

    A message of several lines holds several errors, one a line.
    """


def run(main: Callable[[], None]) -> None:
    """Call a stage's main; print an `InputError` without its traceback and exit with 1.

    Every line of it begins with "error: ".

    Raises:
        SystemExit: If main raised an InputError. Every other exception is our bug and passes.
    """
    try:
        main()
    except InputError as error:
        sys.exit("\n".join(f"error: {line}" for line in str(error).split("\n")))
