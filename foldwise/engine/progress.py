"""What a training reports while it runs."""

from typing import Protocol

from foldwise.files.fold_record import Epoch


class Progress(Protocol):
    """Receives the progress of a training."""

    def trained(self, n_images: int, loss: float | None) -> None:
        """Called after each step with its images, and with the mean loss if it was read."""

    def evaluated(self, point: Epoch) -> None:
        """Called after each epoch with its point of the learning curves."""


class _Silent:
    """Shows nothing."""

    def trained(self, n_images: int, loss: float | None) -> None:
        """Do nothing."""

    def evaluated(self, point: Epoch) -> None:
        """Do nothing."""


SILENT: Progress = _Silent()
