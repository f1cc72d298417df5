"""One step of training."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from foldwise.data.folds import epoch_batches, n_batches
from foldwise.engine.cuda_graphs import GraphedStep
from foldwise.engine.fold import Fold
from foldwise.engine.hardware import Hardware
from foldwise.engine.optimiser import AdamW, one_cycle
from foldwise.engine.scores import accuracy, log_loss
from foldwise.files.fold_record import Epoch
from foldwise.files.network import Network
from foldwise.files.params import TrainSection
from foldwise.nets.network import loss_of, train_mode


class TrainingStep:
    """Forward, backward, and a move of the weights at the rates that the optimiser has."""

    def __init__(self, module: nn.Module, optimiser: AdamW, hardware: Hardware) -> None:
        """Take what trains.

        Args:
            module: On the device, in train mode.
            optimiser: Of its parameters.
            hardware: Where, and in which precision.
        """
        self._module, self._optimiser, self._hardware = module, optimiser, hardware

    def __call__(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Move the weights by one batch and return its loss, still on the device.

        Args:
            inputs: (b, ...).
            labels: (b,) true class.
        """
        with self._hardware.autocast():
            loss = loss_of(self._module(inputs), labels)
        torch.autograd.backward(loss)
        self._optimiser.step()
        return loss.detach()

    def forget(self) -> None:
        """Drop the gradients of a step that was not finished."""
        self._module.zero_grad()


LOSS_CHECK_STEPS = 20  # steps between looks at the loss: each makes a GPU wait
PREFETCH_BYTES = (
    2**26
)  # bytes of inputs that a GPU makes at once, in as few launches as for one batch


class Progress(Protocol):
    """Who is told how training goes."""

    def trained(self, n_images: int, loss: float | None) -> None:
        """Take the images of one more step, and the mean loss of late if it was looked at."""

    def evaluated(self, point: Epoch) -> None:
        """Take one more point of the curves."""


class _Silent:
    """Shows nothing."""

    def trained(self, n_images: int, loss: float | None) -> None:
        """Do nothing."""

    def evaluated(self, point: Epoch) -> None:
        """Do nothing."""


SILENT: Progress = _Silent()


class DivergedError(Exception):
    """A loss that is not finite; the message says which, and when."""


@dataclass
class TrainingOutcome:
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
        self._trains = self._which_train()
        self._step = self._new_step()

    def fit(self, progress: Progress = SILENT) -> TrainingOutcome:
        """Train and return how it went; what diverges ends at once.

        Curves are measured after each epoch in eval mode without augmentation.

        Args:
            progress: Who is told.
        """
        outcome = TrainingOutcome()
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
        for number, (inputs, labels) in enumerate(self._feed(batches, epoch)):
            step = (epoch - 1) * len(batches) + number
            losses.append(self.step(inputs, labels, step, section.epochs * len(batches)))
            if len(losses) == LOSS_CHECK_STEPS or number == len(batches) - 1:
                progress.trained(
                    len(inputs), _finite(losses, f"the loss of a batch in epoch {epoch}")
                )
                losses = []
            else:
                progress.trained(len(inputs), None)

    def _feed(
        self, batches: list[NDArray[np.int64]], epoch: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield inputs and labels of each batch; on a GPU several are made at once."""
        ahead = self._section.batch_size * self._fold.inputs.image_bytes
        size = max(1, PREFETCH_BYTES // ahead) if self._hardware.device.type == "cuda" else 1
        for first in range(0, len(batches), size):
            some = batches[first : first + size]
            inputs, labels = self.batch(np.concatenate(some), epoch)
            sizes = [len(one) for one in some]
            yield from zip(torch.split(inputs, sizes), torch.split(labels, sizes), strict=True)

    def begin(self, epoch: int) -> None:
        """Let train what trains in an epoch, counted from 1."""
        train_mode(self._module, self._network, epoch)
        trains = self._which_train()
        if trains != self._trains:
            self._trains, self._step = trains, self._new_step()

    def batch(self, index: NDArray[np.int64], epoch: int) -> tuple[Tensor, Tensor]:
        """Return inputs (b, ...) and labels (b,) of training images, on the device.

        Args:
            index: (b,) their positions in the data set.
            epoch: Counted from 1.
        """
        labels = self._labels[torch.from_numpy(index).to(self._hardware.device)]
        return self._fold.inputs.training(index, epoch), labels

    def step(self, inputs: Tensor, labels: Tensor, step: int, n_steps: int) -> Tensor:
        """Move the weights by one batch and return its loss, still on the device.

        Args:
            inputs: (b, ...) of these images.
            labels: (b,) true classes.
            step: Counted from 0.
            n_steps: Of the whole training.
        """
        warmup = self._section.warmup
        self._optimiser.set_rates(lambda peak: one_cycle(step, n_steps, peak, warmup))
        return self._step(inputs, labels)

    def _which_train(self) -> list[bool]:
        """Return for each parameter whether it trains now."""
        return [one.requires_grad for one in self._module.parameters()]

    def _new_step(self) -> Callable[[Tensor, Tensor], Tensor]:
        step = TrainingStep(self._module, self._optimiser, self._hardware)
        device = self._hardware.device
        return GraphedStep(step, device) if device.type == "cuda" else step

    def _measure(self, epoch: int) -> tuple[Epoch, NDArray[np.float32]]:
        """Return a point of the curves, and the logits of the validation images."""
        fold = self._fold
        probed, logits = self.logits(fold.train_eval_subset), self.logits(fold.validation)
        train_loss = log_loss(probed, fold.labels[fold.train_eval_subset])
        validation_loss = log_loss(logits, fold.labels[fold.validation])
        for part, loss in (("training", train_loss), ("validation", validation_loss)):
            if not math.isfinite(loss):
                raise DivergedError(f"the {part} loss after epoch {epoch} is {loss}")
        point = Epoch(
            epoch=epoch,
            train_loss=train_loss,
            train_accuracy=accuracy(probed, fold.labels[fold.train_eval_subset]),
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
            parts = [self._module(self._fold.inputs.plain(one)).float() for one in batches]
        logits: NDArray[np.float32] = torch.cat(parts).cpu().numpy()
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
