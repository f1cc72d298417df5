"""The keys of params.yaml that forecast reads."""

from itertools import product
from typing import Annotated

from pydantic import Field

from stages.contracts.strict import Strict
from stages.extract.params import ExtractParams
from stages.train.params import TrainParams


class ForecastSection(Strict):
    """How long is looked at how long it takes."""

    seconds: Annotated[float, Field(gt=0, le=60)]  # for which each architecture is timed, at most


class TimingParams(ExtractParams, TrainParams):
    """What decides how long one architecture takes."""

    forecast: ForecastSection


class ForecastParams(TimingParams):
    """What forecast reads."""

    model: str
    candidates: list[str]
    repeats: Annotated[list[int], Field(min_length=1)]
    folds: Annotated[list[int], Field(min_length=2)]

    @property
    def plan(self) -> list[tuple[str, int, int]]:
        """Every (model, repeat, fold), in the order in which DVC trains them."""
        models = dict.fromkeys([self.model, *self.candidates])
        return list(product(models, self.repeats, self.folds))
