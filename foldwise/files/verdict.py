"""reports/verdict.json and metrics.json: which architecture to take, and every step to it."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from foldwise.files.base import Strict, read_json, write_json
from foldwise.files.metrics import MetricName

Count = Annotated[int, Field(ge=0)]
Rank = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(ge=0)]


class Rule(Strict):
    """How the choice is made: best mean; practically equal ones tie; the cheapest of these."""

    metric: MetricName
    best: Literal["highest", "lowest"]
    rope: Positive  # differences up to it are practically none
    sure: Share  # probability of being practically equal from which two tie
    cost: Literal["seconds_per_epoch", "macs"]  # multiply-adds where machines differ
    same_cost: Positive  # relative difference of cost up to which size decides


class Contender(Strict):
    """One architecture on its way through the rule."""

    name: str
    mean: float
    std: Positive
    cost: Positive  # in the unit of the rule
    parameters: Count
    stability_rank: Rank
    behind: Positive  # how far its mean is from the best
    equal: Share  # probability that it is practically equal to the best; 1 for the best itself
    different: bool  # from the best, after Holm over all pairs
    tied: bool  # with the best
    on_front: bool  # no tied one is as good in metric, stability, cost and size, and better in one


class Verdict(Strict):
    """verdict.json: which architecture to take, how sure that is, and what to try next."""

    rule: Rule
    best: str | None  # of the best mean; None: no architecture finished
    chosen: str | None  # the one to take
    runner_up: str | None  # of the second-best mean
    contenders: list[Contender]  # those that finished, best mean first
    text: str  # one paragraph of plain English
    next: list[str]  # what to try next and why, a sentence or two each


class Metrics(Strict):
    """metrics.json: one row of `dvc exp show`, few and stable keys for `dvc metrics diff`.

    The architecture under test is no key of it: that is `model` of params.yaml, and DVC would
    rename both columns to tell them apart.
    """

    mean: float | None  # deciding metric of the architecture under test; None: it failed
    std: Positive | None
    verdict: str | None  # the chosen architecture
    verdict_mean: float | None


def write_verdict(folder: Path, verdict: Verdict, metrics: Metrics) -> None:
    """Write verdict.json and metrics.json."""
    write_json(folder / "verdict.json", verdict)
    write_json(folder / "metrics.json", metrics)


def read_verdict(path: Path) -> Verdict:
    """Read verdict.json.

    Raises:
        InputError: If it is missing or not of this schema.
    """
    return read_json(path, Verdict)
