"""The race over folds: which architectures go on after their first fold."""

import math
from collections.abc import Sequence

from scipy.special import ndtri

from foldwise.files.fold_record import FoldRecord
from foldwise.files.race import Standing
from foldwise.files.verdict import Criteria
from foldwise.selection.image_scores import difference_floor, image_scores
from foldwise.selection.metrics import fold_metrics
from foldwise.selection.statistics import DIGITS

# Standard deviation of the accuracy of two trainings of one network on the same images.
LUCK = 0.0035


def decide_race(records: Sequence[FoldRecord], criteria: Criteria) -> list[Standing]:
    """Return which architectures train their other folds; the order of records changes nothing.

    An architecture is stopped if even the favourable end of the confidence interval leaves it more
    than `worth` behind the best score of the first fold, or if its first fold diverged. The best
    score goes on.

    Args:
        records: Record of the first fold of each architecture, of the same images.
        criteria: A metric that is a mean over images, its confidence level, and `worth`.

    Returns:
        One standing per record, in their order.
    """
    scores = {
        record.model: fold_metrics(record.fold_counts, criteria.top_k)[criteria.metric]
        for record in records
        if record.fold_counts
    }
    best = min(scores, key=lambda model: (-scores[model], model), default=None)
    leader = next((record for record in records if record.model == best), None)
    return [_standing(record, leader, scores, criteria) for record in records]


def _standing(
    record: FoldRecord, leader: FoldRecord | None, scores: dict[str, float], criteria: Criteria
) -> Standing:
    score = scores.get(record.model)
    if leader is None or score is None:
        nothing = dict.fromkeys(("score", "shortfall", "least"))
        return Standing(
            model=record.model, goes_on=False, reason="its first fold diverged", **nothing
        )
    shortfall = round(scores[leader.model] - score, DIGITS)
    least = round(shortfall - half_width(leader, record, criteria), DIGITS)
    goes_on = least <= criteria.worth
    reason = (
        f"{score:.4f} on the first fold, at least {least:.4f} less than {leader.model} with "
        f"{100 * criteria.confidence:g} % confidence"
    )
    return Standing(
        model=record.model,
        goes_on=goes_on,
        score=score,
        shortfall=shortfall,
        least=least,
        reason="" if goes_on else reason,
    )


def half_width(first: FoldRecord, second: FoldRecord, criteria: Criteria) -> float:
    """Return half of the confidence interval of the difference of two scores on the same images.

    It counts the luck of the images and that of two single trainings; both are normal.
    """
    images = (image_scores([each], criteria.metric, criteria.top_k) for each in (first, second))
    return confidence_half_width(difference_floor(*images), criteria.confidence)


def confidence_half_width(image_error: float, confidence: float) -> float:
    """Return half of the confidence interval of a difference between two trainings.

    Args:
        image_error: Standard error of the difference that is due to the images.
        confidence: Confidence level, for example 0.95.
    """
    error = math.hypot(image_error, math.sqrt(2) * LUCK)
    return float(ndtri((1 + confidence) / 2)) * error
