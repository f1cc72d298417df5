"""The whole of params.yaml: the keys of every stage, and what holds between them."""

import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from stages.advise.params import AdviseParams
from stages.augment.params import AugmentParams
from stages.build.catalogue import expectation, is_known
from stages.build.params import BuildParams
from stages.compare.params import CompareParams
from stages.contracts.command import InputError
from stages.contracts.explain import explain
from stages.contracts.unsound import require_none
from stages.extract.params import ExtractParams
from stages.forecast.params import ForecastParams
from stages.prepare.params import PrepareParams
from stages.split.params import SplitParams
from stages.train.params import TrainParams


def _require_slug(name: object) -> object:
    """Stop what would be a path or a command: DVC puts names into both, unquoted."""
    if isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9_]+", name):
        return name
    expected = "the name of an architecture: letters, digits and underscores"
    if isinstance(name, str) and re.search(r"[./\\~]", name):
        expected += "; 'dvc checkout' restores tracked data that 'dvc exp run' cleared there"
    raise ValueError(expected)


def _require_count(folds: list[int]) -> list[int]:
    if folds != list(range(max(len(folds), 2))):
        raise ValueError("0, 1, .. k - 1 in this order for k folds, at least [0, 1]")
    return folds


def _require_ascending(repeats: list[int]) -> list[int]:
    if repeats != sorted(set(repeats)):
        raise ValueError(f"each repeat once, ascending: {sorted(set(repeats))}")
    return repeats


def _require_slots(candidates: list[str], info: ValidationInfo) -> list[str]:
    """Stop unless each candidate has its place in the matrix of dvc.yaml, which is of fixed size.

    DVC splices no list into a matrix.
    """
    assert info.context is not None
    n_slots, n_names = info.context["slots"], len(candidates)
    if n_names < n_slots:
        raise ValueError(f"{n_slots} names, one a slot of dvc.yaml; to have fewer, name one twice")
    if n_names > n_slots:
        more = ", ".join(f'"${{candidates[{slot}]}}"' for slot in range(n_slots, n_names))
        raise ValueError(f"{n_slots} names, one a slot of dvc.yaml; to have more, add {more} there")
    return candidates


Name = Annotated[str, BeforeValidator(_require_slug)]
Repeat = Annotated[int, Field(ge=0)]


class Params(
    PrepareParams,
    SplitParams,
    AdviseParams,  # first those that hold others
    ForecastParams,
    ExtractParams,
    TrainParams,
    AugmentParams,
    CompareParams,
    BuildParams,  # last, so that pydantic reads it first: it defines names
):
    """Every key of params.yaml."""

    model: Name
    candidates: Annotated[list[Name], Field(min_length=1), AfterValidator(_require_slots)]
    repeats: Annotated[list[Repeat], Field(min_length=1), AfterValidator(_require_ascending)]
    folds: Annotated[list[int], AfterValidator(_require_count)]

    @field_validator("model", "candidates")
    @classmethod
    def _are_known(cls, given: str | list[str], info: ValidationInfo) -> str | list[str]:
        """Stop unless the catalogue has each name, or the section build defines it."""
        if "build" not in info.data:  # unsound: that is said
            return given
        defined = info.data["build"].architectures
        names = (
            [((), given)] if isinstance(given, str) else [((i,), n) for i, n in enumerate(given)]
        )
        unknown = (
            (place, expectation(name, defined), name)
            for place, name in names
            if name not in defined and not is_known(name)
        )
        require_none(cls.__name__, unknown)
        return given

    @model_validator(mode="after")
    def _can_be_built(self) -> "Params":
        for model in self.models:
            for index, thaw in enumerate(self.build.of(model).thaw):
                if thaw.at_epoch > self.train.epochs:
                    raise ValueError(
                        f"build.architectures.{model}.thaw.{index}.at_epoch is {thaw.at_epoch}, "
                        f"and train.epochs {self.train.epochs}: that layer would never train; "
                        "thaw earlier, or train longer"
                    )
        return self

    @property
    def text(self) -> str:
        """The size of the comparison, such as "3 architectures × 1 repeat × 5 folds"."""
        models, repeats, folds = len(self.models), len(self.repeats), len(self.folds)
        counts = [(models, "architecture"), (repeats, "repeat"), (folds, "fold")]
        return " × ".join(f"{n} {noun}" if n == 1 else f"{n} {noun}s" for n, noun in counts)


def check(content: dict[str, Any], n_slots: int, place: str) -> Params:
    """Check the whole of params.yaml.

    Args:
        content: What the file holds.
        n_slots: Candidates that dvc.yaml has room for.
        place: The file, as the user wrote it.

    Raises:
        InputError: One line for each error.
    """
    try:
        return Params.model_validate(content, context={"slots": n_slots})
    except ValidationError as error:
        raise InputError(explain(error, Params, place)) from None
