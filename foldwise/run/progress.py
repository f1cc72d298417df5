"""Which trainings are stale, as DVC says it."""

import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from tqdm import tqdm

from foldwise.core.text import format_duration
from foldwise.files.fold_record import Epoch, FoldRecord


def stale_trainings(status: str) -> list[str]:
    """Return the stages of train that are not up to date, in the order of dvc.yaml.

    Those whose result is merely missing here or known from an earlier run are among them: DVC takes
    these from its cache, and trains nothing.

    Args:
        status: What `dvc status --json train` prints.
    """
    return [stage for stage in json.loads(status) if stage.startswith("train@")]


def short_name(stage: str) -> str:
    """Return what a stage of train is called among its like: train@lenet5-0-1 is lenet5-0-1."""
    return stage.removeprefix("train@")


def count_line(stages: Sequence[str]) -> str:
    """Return how many stages are stale, in words."""
    if not stages:
        return "nothing is stale"
    return "1 stale training" if len(stages) == 1 else f"{len(stages)} stale trainings"


EPOCH = re.compile(r": epoch (\d+) of (\d+), ")


def parse_epoch(line: str) -> str | None:
    """Return "4/10" for a line that ends epoch 4 of 10; None for every other line."""
    found = EPOCH.search(line)
    return f"{found[1]}/{found[2]}" if found else None


def is_result_line(line: str) -> bool:
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


FOLDER = Path(".dvc/tmp/parallel")


def log_path(stage: str) -> Path:
    """Return the file for what a stage prints, in a folder that is there."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    return FOLDER / f"{stage}.log"


def failure_reason(log: Path) -> str:
    """Return why a stage failed, and where one can read more, on one line."""
    return f"{error_line(log.read_text(encoding='utf-8'))} (all of it in {log})"


def result_line(record: FoldRecord) -> str:
    """Return the line in which train reports the result of a fold, without a full stop."""
    place = f"{record.model} repeat {record.repeat} fold {record.fold}"
    if record.accuracy is None:
        return f"{place}, diverged: {record.reason}"
    speed = f"{record.timing.images_per_second:,.0f} images/s"
    return f"{place}, {100 * record.accuracy:.2f} % of validation images right, {speed}"


class FoldProgressBar:
    """Images per second, loss and accuracy of one fold, and the time that is left, on stderr."""

    def __init__(self, title: str, n_images: int, n_epochs: int, following: float | None) -> None:
        """Show an empty bar.

        Args:
            title: Which fold of how many.
            n_images: That will be trained on, all epochs together.
            n_epochs: Asked for.
            following: Seconds of the training that may come after this fold; None: unknown.
        """
        self._title = title
        self._n_epochs = n_epochs
        self._start = time.monotonic()
        self._shown = {"loss": "?"}
        # At most: folds that are cached take no time, and which are only DVC knows.
        self._following = f"at most {format_duration(following)}" if following else None
        self._is_log = not sys.stderr.isatty()
        self._bar = tqdm(
            desc=title, total=n_images, unit=" images", disable=self._is_log, dynamic_ncols=True
        )

    def trained(self, n_images: int, loss: float | None) -> None:
        """Move on by one step.

        Args:
            n_images: Of the step.
            loss: Mean of late, if it was looked at.
        """
        if loss is not None:
            self._shown["loss"] = f"{loss:.3f}"
            self._bar.set_postfix(self._shown, refresh=False)
        self._bar.update(n_images)

    def evaluated(self, point: Epoch) -> None:
        """Show what the validation images say."""
        accuracy = f"{point.validation_accuracy:.3f}"
        self._shown |= {"epoch": f"{point.epoch}/{self._n_epochs}", "accuracy": accuracy}
        if self._following:
            self._shown["then"] = self._following
        self._bar.set_postfix(self._shown)
        if self._is_log:
            line = f"epoch {point.epoch} of {self._n_epochs}, loss {self._shown['loss']}"
            left = self._left(point.epoch)
            sys.stderr.write(f"{self._title}: {line}, validation accuracy {accuracy}{left}\n")

    def __enter__(self) -> "FoldProgressBar":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the bar as it is."""
        self._bar.close()

    def _left(self, epoch: int) -> str:
        """Return how long this fold still takes, as its epochs so far did, and what follows."""
        seconds = (time.monotonic() - self._start) * (self._n_epochs / epoch - 1)
        left = f"; {format_duration(seconds)} left" if epoch < self._n_epochs else ""
        follows = f"; {self._following} of training follow" if self._following else ""
        return left + follows


FORMAT = "{n_fmt}/{total_fmt} |{bar:8}| {elapsed}<{remaining}{postfix}"


class ParallelProgress:
    """All folds in one bar: how many have ended, which run and in which epoch, how many failed.

    Attributes:
        failures: Error by stage, of those that failed.
    """

    def __init__(self, stages: Sequence[str]) -> None:
        """Show an empty bar.

        Args:
            stages: All that will run.
        """
        self.failures: dict[str, str] = {}
        self._n_stages = len(stages)
        self._n_ended = 0
        self._epochs: dict[str, str] = {}  # of each running stage
        self._results: dict[str, str] = {}  # the line in which a running stage said how it ended
        self._bar = tqdm(
            total=len(stages),
            disable=not sys.stderr.isatty(),
            dynamic_ncols=True,
            bar_format=FORMAT,
        )

    def __enter__(self) -> "ParallelProgress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the bar as it is."""
        self._bar.close()

    def started(self, stage: str) -> None:
        """Show that a stage runs."""
        self._epochs[stage] = ""
        self._show()

    def said(self, stage: str, line: str) -> None:
        """Take note of a line that a running stage printed, without its line break."""
        if epoch := parse_epoch(line):
            self._epochs[stage] = f" {epoch}"
            self._show()
        elif is_result_line(line):
            self._results[stage] = line

    def ended(self, stage: str, error: str | None) -> None:
        """Show that a stage has ended, and how, on a line of its own.

        Args:
            stage: That ran.
            error: Why it failed and where one can read more, on one line; None: it succeeded.
        """
        self._epochs.pop(stage, None)
        result = self._results.pop(stage, f"{stage} is up to date")
        self._n_ended += 1
        if error is not None:
            self.failures[stage] = error
            result = f"{stage} failed: {error}"
        self._bar.n = self._n_ended  # before it is drawn anew, with all that goes with it
        self._show()
        tqdm.write(f"[{self._n_ended}/{self._n_stages}] {result}", file=sys.stderr)

    def _show(self) -> None:
        failed = [f"{len(self.failures)} failed"] if self.failures else []
        running = [f"{short_name(stage)}{epoch}" for stage, epoch in self._epochs.items()]
        self._bar.set_postfix_str(", ".join([*failed, *running]))
