"""What one architecture may set apart from the budget that all share."""

from typing import Annotated

from pydantic import Field

from stages.contracts.strict import Strict

Rate = Annotated[float, Field(gt=0)]


class TrainingOverrides(Strict):
    """Values of the section train that an architecture sets for itself; None: as there.

    Only what every architecture would be tuned for; epochs, batches and augmentation are equal
    for all, or the comparison is not fair.
    """

    learning_rate: Rate | None = None  # peak; of the heads, where the body has its own
    weight_decay: Annotated[float, Field(ge=0)] | None = None
    body_learning_rate: Rate | None = None  # peak, of all but the heads; None: as the heads
    # Factor of the rate from each layer to the one before it; None: 1.
    layer_decay: Annotated[float, Field(gt=0, le=1)] | None = None
