"""What one sees while folds train side by side: a bar in a terminal, a line a fold in a log."""

import sys
from collections.abc import Sequence
from types import TracebackType

from tqdm import tqdm

from stages.parallel.stale import name_of
from stages.parallel.words import epoch_of, is_result

FORMAT = "{n_fmt}/{total_fmt} |{bar:8}| {elapsed}<{remaining}{postfix}"


class Board:
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

    def __enter__(self) -> "Board":
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
        if epoch := epoch_of(line):
            self._epochs[stage] = f" {epoch}"
            self._show()
        elif is_result(line):
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
        running = [f"{name_of(stage)}{epoch}" for stage, epoch in self._epochs.items()]
        self._bar.set_postfix_str(", ".join([*failed, *running]))
