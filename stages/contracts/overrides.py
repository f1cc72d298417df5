"""What one architecture may set apart from the budget that all share."""

from typing import Annotated

from pydantic import Field

from stages.contracts.strict import Strict


class TrainingOverrides(Strict):
    """Values of the section train that an architecture sets for itself; None: as there.

    Only what every architecture would be tuned for; epochs, batches and augmentation are equal
    for all, or the comparison is not fair.
    """

    learning_rate: Annotated[float, Field(gt=0)] | None = None
    weight_decay: Annotated[float, Field(ge=0)] | None = None
