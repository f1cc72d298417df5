"""The metrics that compare knows, and which way each is better."""

from typing import Literal, NamedTuple

MetricName = Literal[
    "accuracy", "balanced_accuracy", "macro_f1", "log_loss", "top_k", "calibration_error"
]


class Metric(NamedTuple):
    """How one metric is read.

    Attributes:
        label: In a sentence.
        higher_is_better: Whether the highest value is the best.
    """

    label: str
    higher_is_better: bool

    @property
    def best(self) -> str:
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
    """Return how a metric is read, with k in the label of the top-k accuracy."""
    found = METRICS[name]
    return found._replace(label=f"top-{top_k} accuracy") if name == "top_k" else found
