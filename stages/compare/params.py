"""The keys of params.yaml that compare reads."""

from itertools import product
from typing import Annotated

from pydantic import Field

from stages.contracts.metrics import MetricName
from stages.contracts.strict import Strict


class CompareSection(Strict):
    """What decides, and how sure it has to be."""

    metric: MetricName
    top_k: Annotated[int, Field(ge=1, le=10)]  # records count no more than ten ranks
    confidence: Annotated[float, Field(gt=0.5, lt=1)]  # of the corrected intervals and tests
    rope: Annotated[float, Field(ge=0)]  # in the unit of the metric
    sure: Annotated[float, Field(ge=0.5, le=1)]  # less would tie what is likely different
    target: Annotated[float, Field(ge=0, le=1)]  # training accuracy
    gap: Annotated[float, Field(ge=0, le=1)]  # of accuracies


class CompareParams(Strict):
    """The design of the comparison: every model, repeat and fold that counts."""

    model: str
    candidates: list[str]
    repeats: Annotated[list[int], Field(min_length=1)]
    folds: Annotated[list[int], Field(min_length=2)]
    resplit: bool
    compare: CompareSection

    @property
    def models(self) -> list[str]:
        """The model under test and the candidates, each once, in the order of params.yaml."""
        return list(dict.fromkeys([*self.candidates, self.model]))

    @property
    def runs(self) -> list[tuple[str, int, int]]:
        """Every (model, repeat, fold) that counts."""
        return list(product(self.models, self.repeats, self.folds))
