"""The random streams of one fold: independent of each other and of the number of threads."""

import numpy as np
import torch
from numpy.typing import NDArray


def seed_network(seed: int, model: str, repeat: int, fold: int) -> None:
    """Seed torch's own generator, from which initial weights and dropout are drawn.

    Args:
        seed: Of the data set.
        model: Name of the architecture: each has a stream of its own.
        repeat: Of the fold.
        fold: Number of the fold.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(*model.encode(), repeat, fold))
    torch.manual_seed(int(sequence.generate_state(1, np.uint64)[0]))


def epoch_batches(
    training: NDArray[np.int64], batch_size: int, seed: int, place: tuple[int, int, int]
) -> list[NDArray[np.int64]]:
    """Return the batches of one epoch; all architectures of a fold see the same ones.

    Every image is in one batch. Sizes differ by at most one, so that none is a batch of a single
    image, with which BatchNorm cannot train.

    Args:
        training: (n,) positions of the training images.
        batch_size: Images a batch, at most.
        seed: Of the data set.
        place: Repeat, fold and epoch.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(*b"batches", *place)))
    return np.array_split(rng.permutation(training), n_batches(len(training), batch_size))


def n_batches(n: int, batch_size: int) -> int:
    """Return the number of steps of an epoch over n images."""
    return -(-n // batch_size)


def draw_train_eval_subset(
    training: NDArray[np.int64], n: int, seed: int, place: tuple[int, int]
) -> NDArray[np.int64]:
    """Return the n training images on which the training curve is measured, ascending.

    Args:
        training: Positions of the training images.
        n: How many to draw; all if there are no more.
        seed: Of the data set.
        place: Repeat and fold.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(*b"probe", *place)))
    return np.sort(rng.permutation(training)[:n])
