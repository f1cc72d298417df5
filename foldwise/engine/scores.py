"""Accuracy, log loss and counts of a fold, from its logits, in double precision."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from foldwise.core.machine import chunks
from foldwise.files.fold_record import Calibration, FoldCounts, Mistake, encode_ranks

BINS = 15  # of the calibration, as in Guo et al. 2017
RANKS = 10  # of the true class that are counted
PAIRS = 30  # confused pairs of classes with example images; more than a report shows
EXAMPLES = 3  # example images per pair
FLOAT64_BYTES = 8


def log_loss(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Return the mean cross-entropy in nats; not finite if a logit is not.

    Args:
        logits: (n, n_classes).
        labels: (n,) true class.
    """
    return float(image_losses(logits, labels).mean())


def image_losses(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the cross-entropy of each image in nats, (n,); not finite if a logit is not.

    Args:
        logits: (n, n_classes).
        labels: (n,) true class.
    """
    return np.concatenate([_losses(logits[rows], labels[rows]) for rows in _row_chunks(logits)])


def accuracy(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Return the share of images whose true class has the highest logit.

    Of equal logits, that of the first class counts as the highest.

    Args:
        logits: (n, n_classes).
        labels: (n,) true class.
    """
    return float((logits.argmax(axis=1) == labels).mean())


def count_fold(
    logits: NDArray[np.float32], labels: NDArray[np.int64], index: NDArray[np.int64]
) -> FoldCounts:
    """Return the counts and sums of a fold, from which all metrics follow.

    Args:
        logits: (n, n_classes), finite.
        labels: (n,) true class.
        index: (n,) position of each image in the data set.
    """
    predicted = logits.argmax(axis=1)
    confidence = np.concatenate([_confidence(logits[rows]) for rows in _row_chunks(logits)])
    n_classes = logits.shape[1]
    pairs = np.bincount(labels * n_classes + predicted, minlength=n_classes**2)
    table = pairs.reshape(n_classes, n_classes)  # (true class, predicted class)
    ranks = _ranks(logits, labels)
    return FoldCounts(
        n_classes=n_classes,
        confusion=[(int(t), int(p), int(table[t, p])) for t, p in np.argwhere(table)],
        log_loss=log_loss(logits, labels) * len(labels),
        ranks=np.bincount(ranks, minlength=n_classes + 1)[1 : 1 + RANKS].tolist(),
        calibration=_calibration(confidence, predicted == labels),
        mistakes=_mistakes(table, np.stack([labels, predicted, index]), confidence),
        image_ranks=encode_ranks(ranks, labels),
    )


def _row_chunks(logits: NDArray[np.float32]) -> Iterator[slice]:
    """Yield chunks of rows: float64 copies of all rows at once could fill the memory."""
    return chunks(len(logits), FLOAT64_BYTES * logits.shape[1])


def _losses(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the cross-entropy of each row, (n,)."""
    with np.errstate(invalid="ignore"):  # infinite logits give a loss that is not finite
        shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=1))
    losses: NDArray[np.float64] = log_sum - shifted[np.arange(len(labels)), labels]
    return losses


def _confidence(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the probability of the predicted class of each row, (n,)."""
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    highest = powers[np.arange(len(logits)), logits.argmax(axis=1)]
    confidence: NDArray[np.float64] = highest / powers.sum(axis=1)
    return confidence


def _ranks(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rank of the true class of each image, (n,), from 1; equal logits in order."""
    true_logit = logits[np.arange(len(labels)), labels][:, None]
    is_earlier = np.arange(logits.shape[1]) < labels[:, None]
    is_before = (logits > true_logit) | ((logits == true_logit) & is_earlier)
    ranks: NDArray[np.int64] = 1 + is_before.sum(axis=1)
    return ranks


def _calibration(confidence: NDArray[np.float64], is_right: NDArray[np.bool_]) -> Calibration:
    bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    return Calibration(
        images=np.bincount(bins, minlength=BINS).tolist(),
        correct=np.bincount(bins[is_right], minlength=BINS).tolist(),
        confidence=np.bincount(bins, weights=confidence, minlength=BINS).tolist(),
    )


def _mistakes(
    table: NDArray[np.int64], images: NDArray[np.int64], confidence: NDArray[np.float64]
) -> list[Mistake]:
    """Return the most confident mistakes of the most confused pairs of classes.

    Ties are ordered by class, then by position.

    Args:
        table: (n_classes, n_classes) images by true class and predicted class.
        images: (3, n) true class, predicted class and position of each image.
        confidence: (n,) probability of the predicted class.
    """
    wrong = [(t, p) for t, p in np.argwhere(table) if t != p]
    mistakes = []
    for true, predicted in sorted(wrong, key=lambda pair: -table[pair])[:PAIRS]:
        (members,) = np.nonzero((images[0] == true) & (images[1] == predicted))
        by_confidence = members[np.argsort(-confidence[members], kind="stable")]
        mistakes += [
            Mistake(
                true=int(true),
                predicted=int(predicted),
                image=int(images[2, member]),
                confidence=float(confidence[member]),
            )
            for member in by_confidence[:EXAMPLES]
        ]
    return mistakes
