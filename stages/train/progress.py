"""What one sees while a fold trains: a bar in a terminal, a line an epoch in a log."""

import sys
import time

from tqdm import tqdm

from stages.contracts.fold_record import Epoch
from stages.contracts.forecast import in_words


class Bar:
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
        self._following = f"at most {in_words(following)}" if following else None
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

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()

    def _left(self, epoch: int) -> str:
        """Return how long this fold still takes, as its epochs so far did, and what follows."""
        seconds = (time.monotonic() - self._start) * (self._n_epochs / epoch - 1)
        left = f"; {in_words(seconds)} left" if epoch < self._n_epochs else ""
        follows = f"; {self._following} of training follow" if self._following else ""
        return left + follows
