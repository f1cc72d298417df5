"""The race over folds: which architectures go on after their first fold."""

import math
from collections.abc import Mapping, Sequence

from scipy.special import ndtri

from foldwise.files.fold_record import FoldRecord
from foldwise.files.race import Standing
from foldwise.files.verdict import Criteria
from foldwise.selection.image_scores import ImageScores, difference_floor, image_scores
from foldwise.selection.metrics import fold_metrics
from foldwise.selection.statistics import DIGITS

# Standard deviation of the accuracy of two trainings of one network on the same images.
LUCK = 0.0035


def decide_race(records: Sequence[FoldRecord], criteria: Criteria) -> list[Standing]:
    """Return which architectures train their other folds; the order of records changes nothing.

    Args:
        records: Record of the first fold of each architecture, of the same images.
        criteria: A metric that is a mean over images, its confidence level, and `worth`.

    Returns:
        One standing per record, in their order; an architecture whose first fold diverged is
        stopped.
    """
    metric, top_k = criteria.metric, criteria.top_k
    finished = [record for record in records if record.fold_counts]
    counts = {record.model: record.fold_counts for record in finished}
    scores = {name: fold_metrics(fold, top_k)[metric] for name, fold in counts.items() if fold}
    images = {record.model: image_scores([record], metric, top_k) for record in finished}
    standings = {
        standing.model: standing for standing in compare_with_best(scores, images, criteria)
    }
    return [standings.get(record.model) or _diverged(record.model) for record in records]


def compare_with_best(
    scores: Mapping[str, float], images: ImageScores, criteria: Criteria
) -> list[Standing]:
    """Return the standing of each architecture that finished the first fold.

    An architecture is stopped if even the favourable end of the confidence interval leaves it more
    than `worth` behind the best score. The best score goes on.

    Args:
        scores: Of the first fold, by architecture; higher is better.
        images: Scores of its images.
        criteria: Confidence level and `worth`.
    """
    best = min(scores, key=lambda name: (-scores[name], name), default="")
    standings = []
    for name, score in scores.items():
        error = difference_floor(images[best], images[name])
        shortfall = round(scores[best] - score, DIGITS)
        least = round(shortfall - half_width(error, criteria.confidence), DIGITS)
        goes_on = least <= criteria.worth
        reason = (
            f"{score:.4f} on the first fold, at least {least:.4f} less than {best} with "
            f"{100 * criteria.confidence:g} % confidence"
        )
        standings.append(
            Standing(
                model=name,
                goes_on=goes_on,
                score=score,
                shortfall=shortfall,
                least=least,
                reason="" if goes_on else reason,
            )
        )
    return standings


def half_width(image_error: float, confidence: float) -> float:
    """Return half of the confidence interval of the difference of two trainings.

    Args:
        image_error: Standard error of the difference that is due to the images.
        confidence: Confidence level, for example 0.95.
    """
    error = math.hypot(image_error, math.sqrt(2) * LUCK)
    return float(ndtri((1 + confidence) / 2)) * error


def _diverged(model: str) -> Standing:
    return Standing(
        model=model,
        goes_on=False,
        score=None,
        shortfall=None,
        least=None,
        reason="its first fold diverged",
    )
