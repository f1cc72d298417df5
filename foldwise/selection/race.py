"""The race over folds: which architectures go on after their first fold."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from scipy.special import ndtri

from foldwise.files.fold_record import FoldRecord
from foldwise.files.race import FoldDecision, Standing, digest_record
from foldwise.files.verdict import Criteria
from foldwise.selection.image_scores import ImageScores, difference_floor, image_scores
from foldwise.selection.metrics import fold_metrics
from foldwise.selection.statistics import DIGITS

Run = tuple[str, int, int]  # model, repeat, fold

# Standard deviation of the accuracy of two trainings of one network on the same images: at least
# this, and a share of what the last epoch changed. Few steps may leave a network anywhere.
LUCK = 0.0035
SHARE = 0.5


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
    lucks = {record.model: training_luck(record) for record in finished}
    standings = {
        standing.model: standing for standing in compare_with_best(scores, images, criteria, lucks)
    }
    return [standings.get(record.model) or _diverged(record.model) for record in records]


def decide_folds(
    runs: Sequence[Run], records: Sequence[FoldRecord | None], standings: Sequence[Standing]
) -> dict[Run, FoldDecision]:
    """Return for each training whether it is left out, or kept from the race.

    Args:
        runs: Every (model, repeat, fold) of the comparison.
        records: Records of the first fold; None where there is no race.
        standings: After the first fold. An architecture without one goes on.
    """
    firsts = {record.model: record for record in records if record}
    reasons = {standing.model: standing.reason for standing in standings if not standing.goes_on}
    decisions = dict.fromkeys(runs, FoldDecision())
    for model, first in firsts.items():
        if reason := reasons.get(model):
            out = FoldDecision(first=first, reason=reason)
            decisions |= {run: out for run in runs if run[0] == model}
        kept = FoldDecision(trained=digest_record(first))
        decisions[model, first.repeat, first.fold] = kept
    return decisions


def compare_with_best(
    scores: Mapping[str, float],
    images: ImageScores,
    criteria: Criteria,
    lucks: Mapping[str, float] = MappingProxyType({}),
) -> list[Standing]:
    """Return the standing of each architecture that finished the first fold.

    An architecture is stopped if even the favourable end of the confidence interval leaves it more
    than `worth` behind the best score. The best score goes on.

    Args:
        scores: Of the first fold, by architecture; higher is better.
        images: Scores of its images.
        criteria: Confidence level and `worth`.
        lucks: Standard deviation of single trainings, where it is over `LUCK`.
    """
    best = min(scores, key=lambda name: (-scores[name], name), default="")
    standings = []
    for name, score in scores.items():
        error = difference_floor(images[best], images[name])
        luck = math.hypot(*(lucks.get(each, LUCK) for each in (best, name)))
        shortfall = round(scores[best] - score, DIGITS)
        least = round(shortfall - half_width(error, criteria.confidence, luck), DIGITS)
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


def training_luck(record: FoldRecord) -> float:
    """Return the standard deviation of the accuracy of trainings such as this one."""
    assert record.fold_counts is not None
    before = 1 / record.fold_counts.n_classes  # before the first epoch, it guesses
    *_, previous, last = [before, *(epoch.validation_accuracy for epoch in record.curves)]
    return max(LUCK, SHARE * abs(last - previous))


def half_width(error: float, confidence: float, luck: float = math.sqrt(2) * LUCK) -> float:
    """Return half of the confidence interval of the difference of two trainings.

    Args:
        error: Standard error of the difference that is due to the images.
        confidence: Confidence level, for example 0.95.
        luck: Standard deviation that is due to the trainings.
    """
    return float(ndtri((1 + confidence) / 2)) * math.hypot(error, luck)


def _diverged(model: str) -> Standing:
    return Standing(
        model=model,
        goes_on=False,
        score=None,
        shortfall=None,
        least=None,
        reason="its first fold diverged",
    )
