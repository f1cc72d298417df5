"""Scores of single images, and the smallest standard error of a mean that they allow.

A few folds may agree by chance, with two folds often to the last digit. But the score of an
architecture rests on N images, so its standard error is never below that of a mean of N values.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from foldwise.files.fold_record import FoldCounts, FoldRecord
from foldwise.files.verdict import IMAGE_METRICS, MetricName

Floats = NDArray[np.float64]


class RepeatScores(NamedTuple):
    """The images of one repeat, each validated once; (weights · values) is the mean of the folds.

    Attributes:
        weights: (n,) they add up to 1.
        values: (n,) 1 if the image is classified right, else 0.
    """

    weights: Floats
    values: Floats


ImageScores = Mapping[str, Sequence[RepeatScores]]  # by architecture, one item per repeat


def image_scores(
    records: Sequence[FoldRecord], metric: MetricName, top_k: int
) -> list[RepeatScores]:
    """Return the scores of the images of each repeat; [] if the metric is no mean over images.

    Args:
        records: Records of one architecture that finished, in the order of repeats and folds.
        metric: The deciding metric.
        top_k: k of the top-k accuracy.
    """
    if metric not in IMAGE_METRICS:
        return []
    repeats: dict[int, list[FoldCounts]] = {}
    for record in records:
        assert record.fold_counts is not None
        repeats.setdefault(record.repeat, []).append(record.fold_counts)
    last_rank = top_k if metric == "top_k" else 1
    return [
        RepeatScores(
            np.concatenate([_weights(fold, metric) for fold in folds]) / len(folds),
            np.concatenate([fold.ranks_by_image <= last_rank for fold in folds]).astype(float),
        )
        for folds in repeats.values()
    ]


def _weights(fold: FoldCounts, metric: MetricName) -> Floats:
    """Return the weight of each image in the score of its fold, (n,)."""
    if metric != "balanced_accuracy":
        return np.full(fold.n_images, 1 / fold.n_images)
    _, position, sizes = np.unique(fold.labels_by_image, return_inverse=True, return_counts=True)
    weights: Floats = 1 / (len(sizes) * sizes[position])
    return weights


def score_floor(repeats: Sequence[RepeatScores]) -> float:
    """Return the smallest standard error of a mean score: for accuracies p, √(p(1 − p) / N)."""
    return _floor([repeat.weights for repeat in repeats], [repeat.values for repeat in repeats])


def difference_floor(first: Sequence[RepeatScores], second: Sequence[RepeatScores]) -> float:
    """Return the smallest standard error of a mean difference, as in the test of McNemar.

    Args:
        first: Images of one architecture.
        second: The same images in the same order.
    """
    values = [a.values - b.values for a, b in zip(first, second, strict=True)]
    return _floor([repeat.weights for repeat in first], values)


def _floor(weights: Sequence[Floats], values: Sequence[Floats]) -> float:
    """Return the standard error of a weighted mean over images.

    It is 0 only without images: one more image counts whose value is 1 away from the mean. For two
    architectures, this adds half an image to either count of images that only one of them
    classifies right. For an architecture without mistakes, three standard errors are 3 / N (rule of
    three). Repeats may have other folds, so the images of each repeat count for
    themselves, and the variances are averaged: repeats validate the same images again.
    """
    variances = []
    for w, x in zip(weights, values, strict=True):
        mean = math.fsum((w * x).tolist())  # exact: the order of a sum depends on the CPU
        variances.append(math.fsum((w**2 * ((x - mean) ** 2 + 1 / len(x))).tolist()))
    return math.sqrt(fmean(variances)) if variances else 0.0
