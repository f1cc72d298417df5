"""The images of one fold, their batches, and the random streams that the fold draws from."""

import numpy as np
from numpy.typing import NDArray

from foldwise.files.split import HELD_OUT, Split

MAX_SCORING = 2000  # images that score a learning rate; with more, scoring takes long


def training_indices(split: Split, fold: int) -> NDArray[np.int64]:
    """Return the positions of the images that train in a fold, ascending."""
    return np.flatnonzero((split.fold != fold) & (split.fold != HELD_OUT))


def validation_indices(split: Split, fold: int) -> NDArray[np.int64]:
    """Return the positions of the images that validate a fold, ascending."""
    return np.flatnonzero(split.fold == fold)


def scoring_images(split: Split, fold: int, seed: int) -> NDArray[np.int64]:
    """Return training images of a fold that score its learning rates, ascending.

    They are images of the next fold, which share no group with the other folds. Of two folds, the
    next one is all that trains: then it is a quarter of it.

    Args:
        split: The folds.
        fold: The fold inside which rates are tried.
        seed: The seed of the data set.
    """
    images = validation_indices(split, (fold + 1) % split.n_folds)
    n = len(images) if split.n_folds > 2 else max(1, len(images) // 4)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(*b"tune", fold)))
    return np.sort(rng.permutation(images)[: min(n, MAX_SCORING)])


def network_seed(seed: int, model: str, repeat: int, fold: int) -> int:
    """Return the seed of torch's generator, which draws the initial weights and dropout.

    Args:
        seed: The seed of the data set.
        model: The name of the architecture; each architecture has its own stream.
        repeat: The number of the repeat.
        fold: The number of the fold.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(*model.encode(), repeat, fold))
    return int(sequence.generate_state(1, np.uint64)[0])


def epoch_batches(
    training: NDArray[np.int64], batch_size: int, seed: int, place: tuple[int, int, int]
) -> list[NDArray[np.int64]]:
    """Return the batches of one epoch, the same for all architectures.

    Every image is in exactly one batch. Batch sizes differ by at most one, because BatchNorm
    cannot train on a last batch of a single image.

    Args:
        training: (n,) positions of the training images.
        batch_size: The largest number of images in a batch.
        seed: The seed of the data set.
        place: The numbers of repeat, fold and epoch.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(*b"batches", *place)))
    return np.array_split(rng.permutation(training), n_batches(len(training), batch_size))


def balanced_sample(
    training: NDArray[np.int64],
    labels: NDArray[np.int64],
    seed: int,
    place: tuple[int, int, int],
) -> NDArray[np.int64]:
    """Return as many training images in which all classes are equally frequent, for one epoch.

    Class counts differ by at most one, and so do the repetitions of the images of a class.

    Args:
        training: (n,) positions of the training images.
        labels: (n_images,) class of every image of the data set.
        seed: The seed of the data set.
        place: The numbers of repeat, fold and epoch.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(*b"sample", *place)))
    shuffled = rng.permutation(training)
    classes = rng.permutation(np.unique(labels[training]))
    sizes = [len(part) for part in np.array_split(training, len(classes))]
    sample = [
        np.resize(shuffled[labels[shuffled] == label], size)
        for label, size in zip(classes, sizes, strict=True)
    ]
    return np.concatenate(sample)


def loss_weights(
    training: NDArray[np.int64],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64] | None,
    *,
    balanced: bool,
) -> NDArray[np.float32] | None:
    """Return the weight of each image in the loss; None if all are equal.

    Balanced weights are inverse to the number of training images of the class, as scikit-learn's
    class_weight="balanced". The mean over the training images is 1, so that the learning rate
    keeps its meaning.

    Args:
        training: (n,) positions of the training images.
        labels: (n_images,) class of every image of the data set.
        weights: (n_images,) weights of the user's table, which are multiplied; None: all equal.
        balanced: Whether to balance the classes.

    Returns:
        (n_images,).
    """
    if weights is None and not balanced:
        return None
    product = np.ones(len(labels)) if weights is None else weights
    if balanced:
        sums = np.bincount(labels[training], product[training], minlength=labels.max() + 1)
        product = product / np.where(sums > 0, sums, 1)[labels]
    scaled: NDArray[np.float32] = (product / product[training].mean()).astype(np.float32)
    return scaled


def n_batches(n: int, batch_size: int) -> int:
    """Return the number of batches in an epoch over n images."""
    return -(-n // batch_size)


def training_steps(n_train: int, epochs: int, batch_size: int) -> int:
    """Return the number of steps of a training on n_train images."""
    return epochs * n_batches(n_train, batch_size)


def draw_train_eval_subset(
    training: NDArray[np.int64], n: int, seed: int, place: tuple[int, int]
) -> NDArray[np.int64]:
    """Return the n training images on which the training curve is measured, ascending.

    Args:
        training: Positions of the training images.
        n: The number of images to draw; fewer training images are all returned.
        seed: The seed of the data set.
        place: The numbers of repeat and fold.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(*b"probe", *place)))
    return np.sort(rng.permutation(training)[:n])
