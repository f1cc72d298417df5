"""What a stage printed, in a file of its own for each."""

from pathlib import Path

from stages.parallel.words import error_line

FOLDER = Path(".dvc/tmp/parallel")


def log_of(stage: str) -> Path:
    """Return the file for what a stage prints, in a folder that is there."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    return FOLDER / f"{stage}.log"


def failure(log: Path) -> str:
    """Return why a stage failed, and where one can read more, on one line."""
    return f"{error_line(log.read_text(encoding='utf-8'))} (all of it in {log})"
