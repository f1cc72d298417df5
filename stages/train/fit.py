"""The training loop of one fold."""

import math
import time
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from stages.build.network import loss_of, train_mode
from stages.contracts.fold_record import Epoch
from stages.contracts.network import Network
from stages.train.fold import Fold
from stages.train.hardware import Hardware
from stages.train.optimiser import AdamW
from stages.train.params import TrainSection
from stages.train.schedule import one_cycle
from stages.train.score import accuracy, log_loss
from stages.train.streams import epoch_batches, n_batches

LOOK = 20  # steps between looks at the loss: each makes a GPU wait


class Progress(Protocol):
    """Who is told how training goes."""

    def trained(self, n_images: int, loss: float | None) -> None:
        """Take the images of one more step, and the mean loss of late if it was looked at."""

    def evaluated(self, point: Epoch) -> None:
        """Take one more point of the curves."""


class DivergedError(Exception):
    """A loss that is not finite; the message says which, and when."""


@dataclass
class Outcome:
    """What training gave.

    Attributes:
        curves: One point an epoch, up to the last with finite losses.
        last: (n_validation, n_classes) float32 logits after the last of these epochs.
        best: The same after the epoch with the highest validation accuracy, the first of equals.
        best_epoch: Which that was; None if there was no epoch.
        diverged: Why training stopped early; None if it did not.
        train_seconds: Of the epochs in the curves, without evaluation.
        evaluate_seconds: Of their evaluations.
    """

    curves: list[Epoch] = field(default_factory=list)
    last: NDArray[np.float32] | None = None
    best: NDArray[np.float32] | None = None
    best_epoch: int | None = None
    diverged: str | None = None
    train_seconds: float = 0.0
    evaluate_seconds: float = 0.0

    def add(self, point: Epoch, logits: NDArray[np.float32]) -> None:
        """Take one more epoch and its logits of the validation images."""
        accuracies = [one.validation_accuracy for one in self.curves]
        if point.validation_accuracy > max(accuracies, default=-1):
            self.best, self.best_epoch = logits, point.epoch
        self.curves.append(point)
        self.last = logits


class Trainer:
    """One network on its way through the epochs of one fold."""

    def __init__(
        self,
        module: nn.Module,
        network: Network,
        optimiser: AdamW,
        fold: Fold,
        section: TrainSection,
        hardware: Hardware,
    ) -> None:
        """Take what trains, and on what.

        Args:
            module: On the device, with its initial weights; takes what the fold's inputs give.
            network: Of which it was made: what trains in which epoch.
            optimiser: Of all parameters that train at some time.
            fold: The data.
            section: The budget.
            hardware: Where to train.
        """
        self._module = module
        self._network = network
        self._optimiser = optimiser
        self._fold = fold
        self._section = section
        self._hardware = hardware
        self._labels = torch.from_numpy(fold.labels).to(hardware.device)

    def fit(self, progress: Progress) -> Outcome:
        """Train and return how it went; what diverges ends at once.

        Curves are measured after each epoch in eval mode without augmentation.

        Args:
            progress: Who is told.
        """
        outcome = Outcome()
        try:
            for epoch in range(1, self._section.epochs + 1):
                start = time.perf_counter()
                self._train(epoch, progress)
                self._hardware.wait()
                middle = time.perf_counter()
                point, logits = self._measure(epoch)
                outcome.add(point, logits)
                outcome.train_seconds += middle - start
                outcome.evaluate_seconds += time.perf_counter() - middle
                progress.evaluated(point)
        except DivergedError as error:
            outcome.diverged = str(error)
        return outcome

    def _train(self, epoch: int, progress: Progress) -> None:
        """Take one step a batch, each image once."""
        fold, section = self._fold, self._section
        place = (fold.repeat, fold.number, epoch)
        batches = epoch_batches(fold.training, section.batch_size, fold.seed, place)
        self.begin(epoch)
        losses: list[Tensor] = []
        for number, index in enumerate(batches):
            step = (epoch - 1) * len(batches) + number
            inputs = fold.inputs.training(index, epoch)
            losses.append(self.step(inputs, index, step, section.epochs * len(batches)))
            if len(losses) == LOOK or number == len(batches) - 1:
                progress.trained(
                    len(index), _finite(losses, f"the loss of a batch in epoch {epoch}")
                )
                losses = []
            else:
                progress.trained(len(index), None)

    def begin(self, epoch: int) -> None:
        """Let train what trains in an epoch, counted from 1."""
        train_mode(self._module, self._network, epoch)

    def step(self, inputs: Tensor, index: NDArray[np.int64], step: int, n_steps: int) -> Tensor:
        """Move the weights by one batch and return its loss, still on the device.

        Args:
            inputs: (b, ...) of these images.
            index: (b,) their positions in the data set.
            step: Counted from 0.
            n_steps: Of the whole training.
        """
        section = self._section
        labels = self._labels[torch.from_numpy(index).to(self._hardware.device)]
        with self._hardware.autocast():
            loss = loss_of(self._module(inputs), labels)
        torch.autograd.backward(loss)
        self._optimiser.step(lambda peak: one_cycle(step, n_steps, peak, section.warmup))
        return loss.detach()

    def _measure(self, epoch: int) -> tuple[Epoch, NDArray[np.float32]]:
        """Return a point of the curves, and the logits of the validation images."""
        fold = self._fold
        probed, logits = self.logits(fold.probe), self.logits(fold.validation)
        train_loss = log_loss(probed, fold.labels[fold.probe])
        validation_loss = log_loss(logits, fold.labels[fold.validation])
        for part, loss in (("training", train_loss), ("validation", validation_loss)):
            if not math.isfinite(loss):
                raise DivergedError(f"the {part} loss after epoch {epoch} is {loss}")
        point = Epoch(
            epoch=epoch,
            train_loss=train_loss,
            train_accuracy=accuracy(probed, fold.labels[fold.probe]),
            validation_loss=validation_loss,
            validation_accuracy=accuracy(logits, fold.labels[fold.validation]),
        )
        return point, logits

    @torch.inference_mode()
    def logits(self, index: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the logits of images as they are, (b, n_classes), in eval mode."""
        self._module.eval()
        # Twice the batch of training: without gradients that fits wherever training did.
        batches = np.array_split(index, n_batches(len(index), 2 * self._section.batch_size))
        with self._hardware.autocast():
            parts = [self._module(self._fold.inputs.plain(one)).float().cpu() for one in batches]
        logits: NDArray[np.float32] = torch.cat(parts).numpy()
        return logits


def _finite(losses: list[Tensor], what: str) -> float:
    """Return the mean of losses.

    Raises:
        DivergedError: If it is not finite.
    """
    mean = float(torch.stack(losses).mean())
    if not math.isfinite(mean):
        raise DivergedError(f"{what} is {mean}")
    return mean
