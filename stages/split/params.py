"""The keys of params.yaml that split reads."""

from typing import Annotated

from pydantic import Field

from stages.contracts.strict import Strict


class SplitParams(Strict):
    """How many folds there are, and whether each repeat draws its own."""

    folds: Annotated[list[int], Field(min_length=2)]
    resplit: bool
