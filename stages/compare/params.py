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
    repeats: list[int]
    folds: list[int]
    compare: CompareSection

    @property
    def models(self) -> list[str]:
        """The model under test and the candidates, each once, in the order of params.yaml."""
        return list(dict.fromkeys([*self.candidates, self.model]))
