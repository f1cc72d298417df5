"""The learning rate of an architecture, from short trainings inside the first fold.

Every rate gets the same number of steps, as one whole cycle. Images of the next fold score it, and
the other training images train. So no image that validates the first fold has a say, but the other
folds validate images that had one: docs/rates.md says how little that flatters.

The score is the log loss after temperature scaling. After so few steps, a network at a low rate is
less sure than it could be, and the plain loss would prefer rates that are too high for a fold.
"""

import math
from dataclasses import replace
from itertools import count, islice

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from foldwise.data.folds import scoring_images, training_steps
from foldwise.engine.hardware import Hardware
from foldwise.engine.inputs import Fold
from foldwise.engine.scores import accuracy, image_losses
from foldwise.engine.temperature import Logits, fit_temperature
from foldwise.engine.trainer import Trainer
from foldwise.engine.training import open_trainer
from foldwise.files.network import Network
from foldwise.files.params import TrainSection
from foldwise.files.split import Split
from foldwise.files.tuning import (
    FIRST,
    N_RATES,
    REFINED,
    SMALLER_BATCH,
    TriedRate,
    Tuning,
    n_tuning_steps,
)

MOST_FITTED = 10_000  # images that fit a temperature: enough for one number, and little memory
MIN_BATCH = 3  # images; the last batch of an odd number would be a single one


def tune_learning_rate(
    network: Network,
    weights: dict[str, Tensor],
    fold: tuple[Fold, Split],
    section: TrainSection,
    hardware: Hardware,
) -> Tuning:
    """Return the learning rate whose short training has the lowest loss.

    Of rates within a standard error of it, the nearest to the common rate is taken: so an
    architecture to which the rate makes no difference keeps that.

    Args:
        network: Description of the network.
        weights: Its pretrained tensors by name; empty if it has none.
        fold: The first fold, with its split.
        section: Epochs, batch size and common rate.
        hardware: Device, precision and threads, from `set_up`.
    """
    scoring = scoring_images(fold[1], fold[0].number, fold[0].seed)
    training = np.setdiff1d(fold[0].training, scoring)
    inner = replace(fold[0], training=training, validation=scoring)
    fold_steps = training_steps(len(fold[0].training), section.epochs, section.batch_size)
    n_steps = n_tuning_steps(fold_steps, fold[0].n_folds)
    batch_size = max(MIN_BATCH, section.batch_size // SMALLER_BATCH)
    shorter = section.model_copy(update={"batch_size": batch_size})
    common, logits = section.common_rate, dict[float, Logits]()

    def try_rates(*rates: float) -> list[TriedRate]:
        for rate in rates:
            tuned = network.with_learning_rate(rate)
            trainer, _ = open_trainer(tuned, weights, inner, shorter, hardware)
            logits[rate] = _train_briefly(trainer, n_steps)
        return compare_rates(logits, inner.labels[scoring])

    first = try_rates(*(common * factor for factor in FIRST))
    tried = try_rates(next_rate(first))
    return Tuning(
        learning_rate=choose_rate(tried, common),
        source=f"the best of {N_RATES} with {n_steps} steps each",
        steps=n_steps,
        n_images=len(scoring),
        tried=tried,
    )


def compare_rates(logits: dict[float, Logits], labels: NDArray[np.int64]) -> list[TriedRate]:
    """Return the loss of each learning rate after temperature scaling, the lowest rate first.

    Args:
        logits: (n, n_classes) by learning rate; not finite where the training diverged.
        labels: (n,) true class.
    """
    losses = {rate: _scaled_losses(logits[rate], labels) for rate in sorted(logits)}
    means = {rate: float(values.mean()) for rate, values in losses.items()}
    lowest = losses[min(means, key=means.__getitem__)]
    return [
        TriedRate(learning_rate=rate, loss=None, standard_error=None, accuracy=None)
        if not math.isfinite(means[rate])
        else TriedRate(
            learning_rate=rate,
            loss=means[rate],
            standard_error=float((values - lowest).std() / math.sqrt(len(values))),
            accuracy=accuracy(logits[rate], labels),
        )
        for rate, values in losses.items()
    ]


def _scaled_losses(logits: Logits, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the loss of each image (n,); infinite if the training diverged."""
    if not np.isfinite(logits).all():
        return np.full(len(labels), np.inf)
    fitting = slice(None, None, -(-len(labels) // MOST_FITTED))
    temperature = fit_temperature(logits[fitting], labels[fitting])
    return image_losses(logits / np.float32(temperature), labels)


def next_rate(tried: list[TriedRate]) -> float:
    """Return the rate to try next: on that side of the best where the loss is lower.

    At the end of the rates, it is beyond them.

    Args:
        tried: Lowest rate first.
    """
    losses = [math.inf, *map(_loss, tried), math.inf]
    best = min(range(1, len(tried) + 1), key=losses.__getitem__)
    is_last = best == len(tried)
    is_up = is_last or (best > 1 and losses[best + 1] < losses[best - 1])
    rate = tried[best - 1].learning_rate
    return rate * REFINED if is_up else rate / REFINED


def choose_rate(tried: list[TriedRate], common: float) -> float:
    """Return the rate nearest to the common one whose loss is within an error of the lowest.

    If every training diverged, it is the lowest rate.
    """
    lowest = min(map(_loss, tried))
    as_good = [
        t for t in tried if t.loss is not None and t.loss - (t.standard_error or 0) <= lowest
    ]
    rates = [t.learning_rate for t in as_good or tried[:1]]
    return min(rates, key=lambda rate: (abs(math.log(rate / common)), rate))


def _loss(tried: TriedRate) -> float:
    return math.inf if tried.loss is None else tried.loss


def _train_briefly(trainer: Trainer, n_steps: int) -> Logits:
    """Train one whole cycle of n steps, and return the logits of the validation images.

    Layers thaw at the same share of the steps as in the training of a fold.
    """
    passes = (
        (number, batch) for number in count(1) for batch in enumerate(trainer.batches(number))
    )
    begun = 0
    for step, (number, (position, index)) in enumerate(islice(passes, n_steps)):
        epoch = 1 + step * trainer.section.epochs // n_steps
        if epoch != begun:
            trainer.begin(epoch)
            begun = epoch
        batch = trainer.mix(trainer.batch(index, number), number, position)
        trainer.step(*batch, step, n_steps)
    return trainer.logits(trainer.fold.validation)
