"""Progress display of one fold and of parallel trainings, and the log lines that drive it."""

import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tqdm import tqdm

from foldwise.files.fold_record import Epoch
from foldwise.files.forecast import format_duration, read_forecast
from foldwise.run.dvc import is_cached_line, split_log

if TYPE_CHECKING:  # it imports torch, which this process may not need
    from foldwise.engine.inputs import Fold

EPOCH = re.compile(r": epoch (\d+) of (\d+), ")
Part = Literal["training", "validation"]
LOG_FOLDER = Path(".dvc/tmp/parallel")
BAR_FORMAT = "{n_fmt}/{total_fmt} |{bar:8}| {elapsed}<{remaining}{postfix}"


def parse_epoch(line: str) -> str | None:
    """Return "4/10" for a log line that ends epoch 4 of 10; None for every other line."""
    match = EPOCH.search(line)
    return f"{match[1]}/{match[2]}" if match else None


def is_result_line(line: str) -> bool:
    """Return whether a log line says that a fold was trained or restored from the cache."""
    return line.startswith(("tune: ", "first: ", "train: ")) or is_cached_line(line)


def error_line(log: str) -> str:
    """Return the line in the log of a failed run that gives the reason.

    This is the error of the training, or the last line of its traceback. If the training printed
    neither (it was killed, for example), it is the error of DVC.
    """
    lines, dvc_errors = split_log(log)
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    exceptions = lines[-1:] if any(line.startswith("Traceback ") for line in lines) else []
    return (errors or exceptions or dvc_errors or lines or ["the log is empty"])[0]


def log_path(stage: str) -> Path:
    """Return the path of a stage's log; its folder exists."""
    LOG_FOLDER.mkdir(parents=True, exist_ok=True)
    return LOG_FOLDER / f"{stage}.log"


def failure_reason(log: Path) -> str:
    """Return one line: why a stage failed, and the path of the log."""
    return f"{error_line(log.read_text(encoding='utf-8', errors='replace'))} (see {log})"


class FoldProgressBar:
    """Throughput, loss, accuracy and remaining time of one fold, on stderr."""

    def __init__(
        self,
        title: str,
        n_images: int,
        n_epochs: int,
        following: float | None,
        part: Part = "validation",
    ) -> None:
        """Show an empty bar.

        Args:
            title: Name and number of the fold.
            n_images: Images to train on, all epochs together.
            n_epochs: Epochs to train.
            following: Predicted seconds of the trainings after this fold; None: unknown.
            part: The images whose accuracy is shown.
        """
        self._part = part
        self._title = title
        self._n_epochs = n_epochs
        self._start = time.monotonic()
        self._fields = {"loss": "?"}
        # "At most", because cached folds take no time, and only DVC knows which are cached.
        self._following = f"at most {format_duration(following)}" if following else None
        self._is_log = not sys.stderr.isatty()
        self._bar = tqdm(
            desc=title, total=n_images, unit=" images", disable=self._is_log, dynamic_ncols=True
        )

    def trained(self, n_images: int, loss: float | None) -> None:
        """Advance by one step.

        Args:
            n_images: Images of the step.
            loss: Mean loss of the last steps; None: not measured at this step.
        """
        if loss is not None:
            self._fields["loss"] = f"{loss:.3f}"
            self._bar.set_postfix(self._fields, refresh=False)
        self._bar.update(n_images)

    def evaluated(self, point: Epoch) -> None:
        """Show the accuracy at the end of an epoch."""
        is_training = self._part == "training"
        accuracy = f"{point.train_accuracy if is_training else point.validation_accuracy:.3f}"
        self._fields |= {"epoch": f"{point.epoch}/{self._n_epochs}", "accuracy": accuracy}
        if self._following:
            self._fields["then"] = self._following
        self._bar.set_postfix(self._fields)
        if self._is_log:
            line = f"epoch {point.epoch} of {self._n_epochs}, loss {self._fields['loss']}"
            left = self._remaining(point.epoch)
            sys.stderr.write(f"{self._title}: {line}, {self._part} accuracy {accuracy}{left}\n")

    def __enter__(self) -> "FoldProgressBar":
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the bar on the terminal."""
        self._bar.close()

    def _remaining(self, epoch: int) -> str:
        """Return the time left, extrapolated from the finished epochs, and what follows."""
        seconds = (time.monotonic() - self._start) * (self._n_epochs / epoch - 1)
        left = f"; {format_duration(seconds)} left" if epoch < self._n_epochs else ""
        follows = f"; {self._following} of training follow" if self._following else ""
        return left + follows


def fold_bar(model: str, fold: "Fold", n_epochs: int, forecast: Path) -> FoldProgressBar:
    """Return an empty bar for the training of one fold.

    Args:
        model: Name of the architecture.
        fold: The data.
        n_epochs: Epochs to train.
        forecast: Path of minutes.json; if the file is missing, what follows is unknown.
    """
    title = f"{model} repeat {fold.repeat} fold {fold.number} (of 0 to {fold.n_folds - 1})"
    times = read_forecast(forecast) if forecast.is_file() else None
    following = times.after(model, fold.repeat, fold.number) if times else None
    return FoldProgressBar(title, n_epochs * len(fold.training), n_epochs, following)


class ParallelProgress:
    """One bar for all folds: how many have ended or failed, and the epochs of the running ones.

    Attributes:
        failures: Error of each stage that failed.
    """

    def __init__(self, stages: Sequence[str]) -> None:
        """Show an empty bar.

        Args:
            stages: Names of all stages that will run.
        """
        self.failures: dict[str, str] = {}
        self._epochs: dict[str, str] = {}  # of each running stage
        self._results: dict[str, str] = {}  # result line of a running stage
        self._bar = tqdm(
            total=len(stages),
            disable=not sys.stderr.isatty(),
            dynamic_ncols=True,
            bar_format=BAR_FORMAT,
        )

    def __enter__(self) -> "ParallelProgress":
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the bar on the terminal."""
        self._bar.close()

    def started(self, stage: str) -> None:
        """Show that a stage runs."""
        self._epochs[stage] = ""
        self._show()

    def printed(self, stage: str, line: str) -> None:
        """Read a line that a running stage printed, without its line break."""
        if epoch := parse_epoch(line):
            self._epochs[stage] = f" {epoch}"
            self._show()
        elif is_result_line(line):
            self._results[stage] = line

    def ended(self, stage: str, error: str | None) -> None:
        """Print a line about the end of a stage.

        Args:
            stage: Name of the stage.
            error: Reason of the failure, on one line; None: success.
        """
        self._epochs.pop(stage, None)
        result = self._results.pop(stage, f"{stage} is up to date")
        if error is not None:
            self.failures[stage] = error
            result = f"{stage} failed: {error}"
        self._bar.n += 1  # before `_show` draws the bar
        self._show()
        tqdm.write(f"[{self._bar.n}/{self._bar.total}] {result}", file=sys.stderr)

    def _show(self) -> None:
        failed = [f"{len(self.failures)} failed"] if self.failures else []
        running = [f"{stage.partition('@')[2]}{epoch}" for stage, epoch in self._epochs.items()]
        self._bar.set_postfix_str(", ".join([*failed, *running]))
