"""The schemas of comparison.json, confused.json and strips.json below reports; in git."""

from collections import Counter
from math import comb
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from foldwise.core.errors import counted
from foldwise.files.base import Count, NonNegative, Share, Size, Strict, write_json
from foldwise.files.fold_record import Machine
from foldwise.files.measurements import Latency
from foldwise.files.verdict import Criteria, MetricName

Interval = tuple[float, float]  # low, high, at the confidence of the design
Fit = Literal[
    "underfit",
    "still improving",
    "healthy",
    "overfit",
    "unstable",
    "constant",
    "diverged",
    "stopped",
]


class Detectable(Strict):
    """The smallest difference of two architectures that this design can detect.

    In standard deviations of the paired differences, two-sided, at the confidence of the design,
    in a single pair: Holm's correction for other pairs is not in it.
    """

    significant: NonNegative  # smallest observed difference that is significant
    minimum_detectable_effect: NonNegative  # smallest true difference, with a power of 80 %
    with_ten_repeats: NonNegative  # smallest significant difference with ten repeats
    text: str  # one sentence


class Design(Criteria):
    """The design of the comparison; the same for every architecture."""

    models: list[str]  # in the order of params.yaml
    repeats: list[int]
    folds: list[int]
    resplit: bool  # whether each repeat has new folds
    epochs: Size
    steps: Size  # of each training
    n_images: Count  # that were split into folds
    limited: bool = False  # whether they are all that `prepare.limit` allows
    detectable: Detectable
    # Other architectures with fold records of the same folds, in reports/folds or in git: "NAME",
    # or "NAME VERSION", also of the names in models.
    compared_before: list[str]
    history_complete: bool  # whether git could be read, and is not a shallow clone
    folds_digest: str  # of the images that train and validate in each fold

    @property
    def percent(self) -> str:
        """The confidence in words, such as "95 %"."""
        return f"{100 * self.confidence:g} %"

    @property
    def others(self) -> list[str]:
        """`compared_before` in words, such as "nin" or "2 other versions of lenet5"."""
        counts = Counter(entry.split()[0] for entry in self.compared_before)
        return [
            f"{counted(n, 'other version')} of {name}"
            if name in self.models
            else (f"{n} versions of {name}" if n > 1 else name)
            for name, n in counts.items()
        ]

    @property
    def text(self) -> str:
        """The size of the design in words, such as "5 folds" or "2 repeats × 5 folds"."""
        folds = f"{len(self.folds)} folds"
        return folds if len(self.repeats) == 1 else f"{len(self.repeats)} repeats × {folds}"


class Baseline(Strict):
    """The majority baseline: every image is predicted to be of the largest class."""

    label: Count  # of the largest class
    images: list[Count]  # of each class, once per repeat
    metrics: dict[MetricName, float]  # with the class frequencies as probabilities


class VarianceParts(Strict):
    """The sources of the variance of a single score; both parts add up to it."""

    fold: NonNegative  # from other training and validation images
    initialisation: NonNegative  # from other initial weights, batches and augmentation


class Scores(Strict):
    """The deciding metric of one architecture over all repeats and folds."""

    mean: float
    variance: NonNegative  # ddof 1
    std: NonNegative
    min: float
    max: float
    interval: Interval  # of the mean, corrected; not clipped to 0 .. 1
    stability_rank: Size  # 1: the smallest standard deviation
    parts: VarianceParts | None  # None: one repeat, or new folds in each repeat

    @property
    def text(self) -> str:
        """The mean and how far its interval reaches to each side, such as "0.9512 ± 0.0123"."""
        return f"{self.mean:.4f} ± {(self.interval[1] - self.interval[0]) / 2:.4f}"


class Diagnosis(Strict):
    """Diagnosis of the learning curves, all in eval mode; means over the folds."""

    fit: Fit
    evidence: str  # numbers, or why it has no score; without a full stop
    # None: a fold diverged, or a race stopped it
    train_accuracy: Share | None = None  # after the last epoch
    gap: Annotated[float, Field(ge=-1, le=1)] | None = None  # train − validation, last epoch
    start: Share | None = None  # validation accuracy after the first epoch
    slope: float | None = None  # of the validation accuracy over the last third, per epoch
    start_rank: Size | None = None  # 1: the highest start
    potential_rank: Size | None = None  # 1: the steepest slope at the end


class Cost(Strict):
    """Time and memory: measurements of a machine, never the same twice."""

    # Per fold: training steps, mean over folds, and the share of a fold in the extraction.
    training_seconds: NonNegative
    extraction_seconds: NonNegative  # features of the frozen layers, once for all folds
    total_seconds: NonNegative  # sum over folds, with evaluation, start and extraction
    images_per_second: NonNegative  # in training steps, mean over folds
    peak_memory_bytes: Count  # of a process, median over folds
    peak_gpu_bytes: Count | None  # of tensors on the GPU, likewise; None: trained on the CPU


class Architecture(Strict):
    """One architecture; without scores, metrics and cost unless it finished all its folds."""

    name: str
    parameters: Count
    macs: Count  # of one image in use, frozen layers included
    latency: Latency
    predicted_memory_bytes: Count  # of a process that trains on a CPU in float32
    scores: Scores | None
    first_score: float | None = None  # of the first fold, if a race stopped it after that
    metrics: dict[MetricName, float] | None  # every metric, mean over folds
    diagnosis: Diagnosis
    cost: Cost | None
    # Of the data set, by its weights before the training; over 0: kept out of the choice.
    seen_images: Count = 0


class Pair(Strict):
    """Two architectures on the same folds; differences are first − second, paired by fold."""

    first: str  # the architecture with the better mean
    second: str
    n: Annotated[int, Field(ge=2)]  # paired differences
    mean: float
    std: NonNegative  # ddof 1
    # Of the mean: corrected, and at least what the number of images allows.
    standard_error: NonNegative
    interval: Interval  # by the standard error
    t: float | None  # corrected resampled t (Nadeau and Bengio 2003); None: no standard error
    p: Share  # two-sided
    p_holm: Share  # the same, after Holm over all pairs, those of earlier comparisons included
    different: bool  # significantly, by p_holm and the confidence of the design
    better: Share  # probability that first is better by more than the ROPE
    equal: Share  # probability that they are practically equal
    worse: Share  # probability that first is worse by more than the ROPE
    expected_shortfall: NonNegative  # of the second, E[max(0, first − second)]
    wins: Share  # share of paired runs in which first is better, ties half: an effect size
    # Smallest significant difference, in the metric, after Holm, the other pairs being as they are.
    detectable: NonNegative


class Comparison(Strict):
    """comparison.json: everything that report shows except the rule, single folds and epochs."""

    design: Design
    baseline: Baseline | None  # None: no architecture finished
    architectures: list[Architecture]  # best first, failed ones last
    pairs: list[Pair]  # every two that finished and may be chosen, in their order
    machines: list[Machine]  # each once; with more than one, timings are not comparable

    @property
    def finished(self) -> list[Architecture]:
        """The architectures with scores, best first."""
        return [architecture for architecture in self.architectures if architecture.scores]

    @property
    def diverged(self) -> list[Architecture]:
        """The architectures with a fold that diverged."""
        return [each for each in self.architectures if each.diagnosis.fit == "diverged"]

    @property
    def stopped(self) -> list[Architecture]:
        """The architectures that a race stopped after the first fold, best first."""
        return [each for each in self.architectures if each.diagnosis.fit == "stopped"]

    @property
    def kept_out(self) -> list[Architecture]:
        """The architectures whose weights have seen images of the data set, best first."""
        return [architecture for architecture in self.architectures if architecture.seen_images]

    def without_kept_out(self) -> "Comparison":
        """Return the comparison of the architectures that may be chosen."""
        fair = [architecture for architecture in self.architectures if not architecture.seen_images]
        return self.model_copy(update={"architectures": fair})

    @property
    def n_tests(self) -> int:
        """The number of pairs that were ever compared on these folds."""
        n = len({name for pair in self.pairs for name in (pair.first, pair.second)})
        n_others = len(self.design.compared_before) + len(self.stopped)
        return comb(n + n_others, 2) if n else 0

    @property
    def class_images(self) -> list[int]:
        """The number of images of each class that were split into folds; [] without scores."""
        n_repeats = len(self.design.repeats)
        return [n // n_repeats for n in self.baseline.images] if self.baseline else []

    def pair(self, first: str, second: str) -> Pair | None:
        """Return the comparison of two architectures in either order; None if not compared."""
        names = {first, second}
        return next((pair for pair in self.pairs if {pair.first, pair.second} == names), None)


class ConfusedPair(Strict):
    """Images of one class that are taken for another."""

    true: str  # class
    predicted: str  # class
    images: Size  # number, over all folds
    share: Share  # of the images of the true class
    examples: list[Count]  # positions in the data set, each once, most confident mistake first


class Confused(Strict):
    """confused.json: the class pairs that the chosen architecture confuses most often."""

    model: str | None  # the chosen architecture; None: none finished
    pairs: list[ConfusedPair]  # most images first; empty: no mistake


class Mistakes(Strict):
    """strips.json: beside it are 0.png, 1.png and so on, one for each pair of confused.json."""

    # Number of images side by side in each PNG; null: the images were missing, so there is no PNG.
    strips: list[Count] | None


def write_comparison(folder: Path, comparison: Comparison, confused: Confused) -> None:
    """Write comparison.json and confused.json."""
    write_json(folder / "comparison.json", comparison)
    write_json(folder / "confused.json", confused)


def write_mistakes(folder: Path, mistakes: Mistakes, drawn: Path) -> None:
    """Write strips.json, and the file `drawn` if there are PNGs."""
    write_json(folder / "strips.json", mistakes)
    if mistakes.strips is not None:
        write_json(drawn, {"drawn": True})
