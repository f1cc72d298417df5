"""What the lines mean that DVC and a training print."""

import re

EPOCH = re.compile(r": epoch (\d+) of (\d+), ")


def epoch_of(line: str) -> str | None:
    """Return "4/10" for a line that ends epoch 4 of 10; None for every other line."""
    found = EPOCH.search(line)
    return f"{found[1]}/{found[2]}" if found else None


def is_result(line: str) -> bool:
    """Tell whether a line says how a fold ended: trained, or taken from the cache."""
    return line.startswith("train: ") or "is cached - skipping run" in line


def error_line(log: str) -> str:
    """Return the one line of a failed run that says why.

    That of the training itself, or the last one of its traceback; if it said nothing, as when it
    was killed, the line of DVC.
    """
    lines = [line for line in log.splitlines() if line.strip()]
    by_dvc = [line for line in lines if line.startswith("ERROR: ")]
    own = lines[: lines.index(by_dvc[0])] if by_dvc else lines
    said = [line for line in own if line.startswith("error: ")]
    raised = own[-1:] if any(line.startswith("Traceback ") for line in own) else []
    found = said or raised or by_dvc or lines or ["it said nothing"]
    return found[0].removeprefix("error: ").removeprefix("ERROR: ")
