"""The training loop of one fold, and one training step."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from foldwise.data.folds import balanced_sample, epoch_batches, loss_weights, n_batches
from foldwise.data.mixing import is_mixed, mix_batch, soft_labels
from foldwise.engine.averaging import WeightAverage
from foldwise.engine.cuda_graphs import GraphedStep
from foldwise.engine.hardware import Hardware
from foldwise.engine.inputs import Fold
from foldwise.engine.optimiser import Optimiser, one_cycle
from foldwise.engine.progress import SILENT, Progress
from foldwise.engine.scores import accuracy, log_loss
from foldwise.files.fold_record import Epoch
from foldwise.files.network import Network
from foldwise.files.params import TrainSection
from foldwise.nets.network import loss_of, train_mode
from foldwise.nets.start import layers_without_statistics, replaced_statistics

LOSS_CHECK_STEPS = 20  # reading the loss makes a GPU wait, so it is read once in so many steps
PREFETCH_BYTES = 2**26  # of inputs that a GPU prepares at once, with the launches of one batch


@dataclass(frozen=True)
class TrainingStep:
    """One training step: forward pass, backward pass, update of the weights.

    Attributes:
        module: On the device, in train mode.
        optimiser: Optimiser of the module's parameters.
        hardware: Device and precision.
    """

    module: nn.Module
    optimiser: Optimiser
    hardware: Hardware

    def __call__(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Update the weights with one batch and return its loss, which stays on the device.

        Args:
            inputs: (b, ...).
            labels: As `loss_of` takes them.
        """
        with self.hardware.autocast():
            loss = loss_of(self.module(inputs), labels)
        torch.autograd.backward(loss)
        self.optimiser.step()
        return loss.detach()

    def discard_gradients(self) -> None:
        """Drop the gradients of a step that did not finish."""
        self.module.zero_grad()


class DivergedError(Exception):
    """A loss is not finite; the message says which loss, and in which epoch."""


@dataclass
class TrainingResult:
    """Learning curves and logits of a training.

    Attributes:
        curves: One point per epoch, up to the last epoch with finite losses.
        last: (n_validation, n_classes) float32 logits after the last of these epochs.
        best: The logits after the epoch with the highest validation accuracy; the first of
            several such epochs.
        best_epoch: The number of that epoch; None if there was no epoch.
        diverged: Why training stopped early; None if it did not.
        train_seconds: Time of the epochs in the curves, without evaluation.
        evaluate_seconds: Time of their evaluations.
    """

    curves: list[Epoch] = field(default_factory=list)
    last: NDArray[np.float32] | None = None
    best: NDArray[np.float32] | None = None
    best_epoch: int | None = None
    diverged: str | None = None
    train_seconds: float = 0.0
    evaluate_seconds: float = 0.0

    def add(self, point: Epoch, logits: NDArray[np.float32]) -> None:
        """Append an epoch with its logits of the validation images."""
        best_accuracy = max((p.validation_accuracy for p in self.curves), default=-1)
        if point.validation_accuracy > best_accuracy:
            self.best, self.best_epoch = logits, point.epoch
        self.curves.append(point)
        self.last = logits


@dataclass
class Trainer:
    """Trains and evaluates one network on one fold.

    Attributes:
        module: On the device, with its initial weights; takes the inputs of the fold.
        network: Description of the module; says which layers train in which epoch.
        optimiser: Optimiser of all parameters that train at some time.
        fold: The data.
        section: Epochs, batch size, warmup, label smoothing and average of the weights.
        hardware: Device and precision.
    """

    module: nn.Module
    network: Network
    optimiser: Optimiser
    fold: Fold
    section: TrainSection
    hardware: Hardware

    def __post_init__(self) -> None:
        """Copy the labels to the device and prepare the training step."""
        fold, balanced = self.fold, self.section.class_weights == "balanced"
        weights = loss_weights(fold.training, fold.labels, fold.weights, balanced=balanced)
        device = self.hardware.device
        self._labels = torch.from_numpy(fold.labels).to(device)
        self._weights = None if weights is None else torch.from_numpy(weights).to(device)
        self._average = WeightAverage(self.module, self.section.ema)
        self._prepare_step()

    def fit(self, progress: Progress = SILENT) -> TrainingResult:
        """Train all epochs and return the result; a training that diverges stops at once.

        Each epoch ends with an evaluation in eval mode, of the averaged weights if `ema` is set.

        Args:
            progress: Receives steps and epochs.
        """
        result = TrainingResult()
        try:
            for epoch in range(1, self.section.epochs + 1):
                start = time.perf_counter()
                self._train_epoch(epoch, progress)
                self.hardware.wait()
                trained = time.perf_counter()
                point, logits = self._evaluate(epoch)
                result.add(point, logits)
                result.train_seconds += trained - start
                result.evaluate_seconds += time.perf_counter() - trained
                progress.evaluated(point)
        except DivergedError as error:
            result.diverged = str(error)
        return result

    def _train_epoch(self, epoch: int, progress: Progress) -> None:
        """Train once on every training image."""
        section = self.section
        batches = self.batches(epoch)
        self.begin(epoch)
        losses: list[Tensor] = []
        for number, (inputs, labels) in enumerate(self._load(batches, epoch)):
            step = (epoch - 1) * len(batches) + number
            batch = self.mix((inputs, labels), epoch, number)
            losses.append(self.step(*batch, step, section.epochs * len(batches)))
            mean_loss = None
            if len(losses) == LOSS_CHECK_STEPS or number == len(batches) - 1:
                mean_loss = _mean_loss(losses, epoch)
                losses = []
            progress.trained(len(inputs), mean_loss)

    def _load(
        self, batches: list[NDArray[np.int64]], epoch: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield inputs and labels of each batch; a GPU prepares several batches at once."""
        n_together = 1
        if self.hardware.device.type == "cuda":
            batch_bytes = self.section.batch_size * self.fold.inputs.image_bytes
            n_together = max(1, PREFETCH_BYTES // batch_bytes)
        for first in range(0, len(batches), n_together):
            together = batches[first : first + n_together]
            inputs, labels = self.batch(np.concatenate(together), epoch)
            sizes = [len(index) for index in together]
            yield from zip(torch.split(inputs, sizes), torch.split(labels, sizes), strict=True)

    def batches(self, epoch: int) -> list[NDArray[np.int64]]:
        """Return the positions of the images of each batch of an epoch, counted from 1."""
        fold, section = self.fold, self.section
        place = (fold.repeat, fold.number, epoch)
        images = fold.training
        if section.sampling == "balanced":
            images = balanced_sample(images, fold.labels, fold.seed, place)
        return epoch_batches(images, section.batch_size, fold.seed, place)

    def begin(self, epoch: int) -> None:
        """Set the module to train mode with the layers that train in an epoch, counted from 1."""
        self._average.restore()
        train_mode(self.module, self.network, epoch)
        if self._find_trainable() != self._trainable:
            self._prepare_step()

    def batch(self, index: NDArray[np.int64], epoch: int) -> tuple[Tensor, Tensor]:
        """Return inputs (b, ...) and labels of training images, as `loss_of` takes them.

        Args:
            index: (b,) positions of the images in the data set.
            epoch: Counted from 1.
        """
        positions = torch.from_numpy(index).to(self.hardware.device)
        labels = self._labels[positions]
        smoothing = self.section.label_smoothing
        if self._weights is not None or smoothing or is_mixed(self.fold.recipe):
            weights = None if self._weights is None else self._weights[positions]
            labels = soft_labels(labels, self.network.n_classes, smoothing, weights)
        return self.fold.inputs.training(index, epoch), labels

    def mix(self, batch: tuple[Tensor, Tensor], epoch: int, number: int) -> tuple[Tensor, Tensor]:
        """Return a batch of `batch`, mixed if the augmentation says so.

        Args:
            batch: Inputs and labels.
            epoch: Counted from 1.
            number: Of the batch in the epoch, from 0.
        """
        fold = self.fold
        return mix_batch(batch, fold.recipe, fold.seed, (fold.repeat, fold.number, epoch, number))

    def step(self, inputs: Tensor, labels: Tensor, step: int, n_steps: int) -> Tensor:
        """Update the weights with one batch and return its loss, which stays on the device.

        Args:
            inputs: (b, ...).
            labels: As `batch` returns them.
            step: Counted from 0.
            n_steps: Steps of the whole training.
        """
        self.optimiser.set_lr_factor(one_cycle(step, n_steps, self.section.warmup))
        with replaced_statistics(self._unused_norms):
            loss = self._run_step(inputs, labels)
        self._unused_norms.clear()
        self._average.update()
        return loss

    def _find_trainable(self) -> list[bool]:
        """Return for each parameter whether it trains now."""
        return [parameter.requires_grad for parameter in self.module.parameters()]

    def _prepare_step(self) -> None:
        """Prepare the step for the layers that train now."""
        self._trainable, device = self._find_trainable(), self.hardware.device
        self._unused_norms = layers_without_statistics(self.module)
        step = TrainingStep(self.module, self.optimiser, self.hardware)
        self._run_step = GraphedStep(step, device) if device.type == "cuda" else step

    def _evaluate(self, epoch: int) -> tuple[Epoch, NDArray[np.float32]]:
        """Return a point of the learning curves, and the logits of the validation images."""
        train_loss, train_accuracy, _ = self._scores(self.fold.train_eval_subset)
        validation_loss, validation_accuracy, logits = self._scores(self.fold.validation)
        for part, loss in (("training", train_loss), ("validation", validation_loss)):
            if not math.isfinite(loss):
                raise DivergedError(f"the {part} loss after epoch {epoch} is {loss}")
        point = Epoch(
            epoch=epoch,
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            validation_loss=validation_loss,
            validation_accuracy=validation_accuracy,
        )
        return point, logits

    def _scores(self, index: NDArray[np.int64]) -> tuple[float, float, NDArray[np.float32]]:
        """Return log loss in nats, accuracy and logits of images."""
        logits, labels = self.logits(index), self.fold.labels[index]
        return log_loss(logits, labels), accuracy(logits, labels), logits

    @torch.inference_mode()
    def logits(self, index: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the logits of images in eval mode without augmentation, (b, n_classes).

        If weights are averaged, the module has their averages until the next `begin`.
        """
        self._average.apply()
        self.module.eval()
        # Twice the batch size of training: without gradients, it needs no more memory.
        batches = np.array_split(index, n_batches(len(index), 2 * self.section.batch_size))
        with self.hardware.autocast():
            parts = [self.module(self.fold.inputs.plain(batch)).float() for batch in batches]
        logits: NDArray[np.float32] = torch.cat(parts).cpu().numpy()
        return logits


def _mean_loss(losses: list[Tensor], epoch: int) -> float:
    """Return the mean of losses.

    Raises:
        DivergedError: If it is not finite.
    """
    mean = float(torch.stack(losses).mean())
    if not math.isfinite(mean):
        raise DivergedError(f"the loss of a batch in epoch {epoch} is {mean}")
    return mean
