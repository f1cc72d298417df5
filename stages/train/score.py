"""Numbers from logits, in double precision."""

import numpy as np
from numpy.typing import NDArray


def log_loss(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Return the mean cross-entropy in nats; not finite if a logit is not.

    Args:
        logits: (n, n_classes).
        labels: (n,) true class.
    """
    with np.errstate(invalid="ignore"):  # infinite logits: the result says so
        shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=1))
    return float((log_sum - shifted[np.arange(len(labels)), labels]).mean())


def accuracy(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Return the share of images whose highest logit is their class's; the first of equals counts.

    Args:
        logits: (n, n_classes).
        labels: (n,) true class.
    """
    return float((logits.argmax(axis=1) == labels).mean())


def confusion(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> list[list[int]]:
    """Return counts by (true class, predicted class).

    Args:
        logits: (n, n_classes).
        labels: (n,) true class.
    """
    n_classes = logits.shape[1]
    pairs = labels * n_classes + logits.argmax(axis=1)
    counts = np.bincount(pairs, minlength=n_classes**2)
    table: list[list[int]] = counts.reshape(n_classes, n_classes).tolist()
    return table
