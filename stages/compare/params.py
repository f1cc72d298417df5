"""The keys of params.yaml that compare reads."""

from typing import Annotated

from pydantic import Field

from stages.contracts.strict import Strict


class CompareSection(Strict):
    """How sure the intervals are."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)]  # of the corrected intervals


class CompareParams(Strict):
    """The design of the comparison: every model, repeat and fold that counts."""

    model: str
    candidates: list[str]
    repeats: Annotated[list[int], Field(min_length=1)]
    folds: Annotated[list[int], Field(min_length=2)]
    compare: CompareSection

    @property
    def models(self) -> list[str]:
        """The model under test and the candidates, each once, in the order of params.yaml."""
        return list(dict.fromkeys([*self.candidates, self.model]))

    @property
    def runs(self) -> list[tuple[str, int, int]]:
        """Every (model, repeat, fold) that counts."""
        return [
            (model, repeat, fold)
            for model in self.models
            for repeat in self.repeats
            for fold in self.folds
        ]
