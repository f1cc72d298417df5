"""skorch and scikit-learn: `cross_validate` over a classifier, scored once after its training."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import cross_validate
from skorch import NeuralNetClassifier
from skorch.callbacks import LRScheduler
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from benchmarks.contestants.entry import Entry
from benchmarks.contestants.pictures import Pictures, adamw, loader_options


class _PictureClassifier(NeuralNetClassifier):  # type: ignore[misc]
    """A classifier whose X are positions in the data set; training images are augmented."""

    def __init__(self, *args: Any, entry: Entry, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **options)
        self.entry = entry

    def get_iterator(self, dataset: Any, training: bool = False) -> Any:  # noqa: ANN401
        return super().get_iterator(Pictures(self.entry, dataset.X, training), training)

    def initialize_optimizer(self, triggered_directly: Any = None) -> Any:  # noqa: ANN401, ARG002
        self.optimizer_ = adamw(self.entry, self.module_)
        return self


def train_folds(entry: Entry) -> list[float]:
    """Train the folds and return the accuracy of each."""
    first = entry.folds[0]
    entry.seed_torch(first)
    everything = np.concatenate([entry.training(first), entry.validation(first)])
    splits = [
        (
            _positions(everything, entry.training(fold)),
            _positions(everything, entry.validation(fold)),
        )
        for fold in entry.folds
    ]
    labels = entry.data[0].labels[everything]
    scores = cross_validate(
        _classifier(entry), everything, labels, cv=splits, scoring="accuracy", error_score="raise"
    )
    accuracies: list[float] = scores["test_score"].tolist()
    return accuracies


def _classifier(entry: Entry) -> _PictureClassifier:
    n_steps = entry.n_steps(entry.folds[0])
    schedule = LRScheduler(
        policy=LambdaLR,
        step_every="batch",
        lr_lambda=lambda step: entry.relative_lr(step, n_steps),
    )
    return _PictureClassifier(
        lambda: _new_network(entry),
        criterion=nn.CrossEntropyLoss,
        train_split=None,
        max_epochs=entry.section.epochs,
        callbacks=[("schedule", schedule)],
        device=entry.device.type,
        verbose=0,
        entry=entry,
        iterator_train__shuffle=True,
        **{
            f"{part}__{name}": value
            for part in ("iterator_train", "iterator_valid")
            for name, value in loader_options(entry).items()
        },
    )


def _new_network(entry: Entry) -> nn.Module:
    """Return the network with new weights, different in each fold."""
    return entry.module(int(torch.randint(1 << 16, ())))


def _positions(everything: NDArray[np.int64], subset: NDArray[np.int64]) -> NDArray[np.intp]:
    order = np.argsort(everything)
    positions: NDArray[np.intp] = order[np.searchsorted(everything, subset, sorter=order)]
    return positions
