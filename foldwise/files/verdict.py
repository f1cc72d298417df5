"""The schemas of verdict.json and metrics.json: which architecture to take, and why."""

from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from foldwise.files.base import Count, NonNegative, Strict, write_json

MetricName = Literal[
    "accuracy", "balanced_accuracy", "macro_f1", "log_loss", "top_k", "calibration_error"
]
# Means over the images, so that images say how exact they are
IMAGE_METRICS: tuple[MetricName, ...] = ("accuracy", "balanced_accuracy", "top_k")
# MACs of an image; seconds of an image on one thread; seconds per fold, extraction included
CostUnit = Literal["macs", "latency", "training_seconds"]
# What the bootstrap draws; none: there was no choice.
ScoreMethod = Literal["images and folds", "folds", "none"]
SAME_COST = 0.1  # relative difference of equal measured costs; repeated timings vary by as much


class Metric(NamedTuple):
    """How to show a metric and which direction is better.

    Attributes:
        label: In a sentence.
        higher_is_better: Whether the highest value is the best.
    """

    label: str
    higher_is_better: bool

    @property
    def best(self) -> Literal["highest", "lowest"]:
        """Which value is the best: "highest" or "lowest"."""
        return "highest" if self.higher_is_better else "lowest"


METRICS: dict[MetricName, Metric] = {
    "accuracy": Metric("accuracy", higher_is_better=True),
    "balanced_accuracy": Metric("balanced accuracy", higher_is_better=True),
    "macro_f1": Metric("macro F1", higher_is_better=True),
    "log_loss": Metric("log loss", higher_is_better=False),  # nats
    "top_k": Metric("top-k accuracy", higher_is_better=True),
    "calibration_error": Metric("calibration error", higher_is_better=False),
}


def metric(name: MetricName, top_k: int) -> Metric:
    """Return the metric of this name, with k in the label of the top-k accuracy."""
    if name == "top_k":
        return METRICS[name]._replace(label=f"top-{top_k} accuracy")
    return METRICS[name]


def percent(probability: float) -> str:
    """Return a probability in percent, never 0 % or 100 %."""
    if probability > 0.99:
        return ">99 %"
    return "<1 %" if probability < 0.01 else f"{100 * probability:.0f} %"


class Criteria(Strict):
    """The deciding metric and the thresholds of the decision, as params.yaml sets them."""

    metric: MetricName
    top_k: Annotated[int, Field(ge=1, le=10)]  # records count ten ranks
    confidence: Annotated[float, Field(gt=0.5, le=0.9999)]  # of the corrected intervals and tests
    # What a lower cost is worth, in the unit of the metric: the largest expected shortfall of the
    # chosen architecture. Also the region of practical equivalence (ROPE) of the probabilities.
    worth: NonNegative
    cost: CostUnit = "macs"  # the only unit that is the same on every machine

    @property
    def decides(self) -> Metric:
        """The metric that decides: its label, and which way it is better."""
        return metric(self.metric, self.top_k)

    @property
    def same_cost(self) -> float:
        """The relative difference up to which costs are equal; MACs are counted, not measured."""
        return 0.0 if self.cost == "macs" else SAME_COST


class Contender(Strict):
    """One finished architecture, with the numbers that the selection rule looks at."""

    name: str
    mean: float
    std: NonNegative
    cost: NonNegative  # in the cost unit of the verdict
    parameters: Count
    shortfall: NonNegative  # difference between its mean and the best mean
    # E[max(0, best − this)] over the posterior of the true difference; 0 for the best itself.
    expected_shortfall: NonNegative
    within_worth: bool  # whether the expected shortfall is at most `compare.worth`
    different: bool  # from the best, after Holm over all pairs


class CorrectedScore(Strict):
    """The deciding metric of the chosen architecture, without the luck of being chosen."""

    value: float
    interval: tuple[float, float]  # at the confidence of the design; not clipped to 0 .. 1
    optimism: NonNegative  # by which its mean flatters it
    method: ScoreMethod

    @property
    def text(self) -> str:
        """The value and half of its interval, such as "0.9512 ± 0.0123"."""
        return f"{self.value:.4f} ± {(self.interval[1] - self.interval[0]) / 2:.4f}"


class Summary(Strict):
    """The verdict as a manager reads it: a sentence or a few each."""

    take: str  # which architecture, and its score on new images
    why: str  # how the rule came to it
    sure: str  # how sure the choice is
    cost: str  # of the chosen architecture, and beside others
    change: str  # what would change the choice
    longer: str  # what choices after as few training steps have cost elsewhere


class Verdict(Strict):
    """verdict.json: which architecture to take, how sure that is, and what to try next."""

    cost_unit: CostUnit
    best: str | None  # of those that may be chosen, the best mean; None: none finished
    chosen: str | None  # the architecture to take
    # The same if images whose label looks wrong had not validated.
    chosen_without: str | None = None
    runner_up: str | None  # the architecture of the second-best mean
    contenders: list[Contender]  # best mean first
    score: CorrectedScore | None = None  # of the chosen architecture
    summary: Summary | None = None  # None: none can be chosen
    text: str  # the statistics as one paragraph; "": there is nothing to compare
    next: list[str]  # what to try next and why, a sentence or two each

    @property
    def line(self) -> str:
        """The choice and its score, such as "take a, accuracy 0.9512 ± 0.0123"."""
        if self.summary is None:
            return self.text.partition(". ")[0]
        return f"take {self.summary.take.partition(' (')[0]}"


class Metrics(Strict):
    """metrics.json: one row of `dvc exp show`, few and stable keys for `dvc metrics diff`.

    The architecture under test is not a key: it is `model` in params.yaml, and DVC would rename
    both columns to tell them apart.
    """

    # Deciding metric, in which all numbers are: otherwise a diff would compare unlike ones
    metric: MetricName
    # Of the architecture under test; None: it failed, or is kept out
    mean: float | None
    std: NonNegative | None
    verdict: str | None  # the chosen architecture
    verdict_mean: float | None
    verdict_score: float | None = None  # its mean, corrected for the choice


def write_verdict(folder: Path, verdict: Verdict, metrics: Metrics) -> None:
    """Write verdict.json and metrics.json."""
    write_json(folder / "verdict.json", verdict)
    write_json(folder / "metrics.json", metrics)
