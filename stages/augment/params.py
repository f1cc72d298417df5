"""The keys of params.yaml that augment reads."""

from typing import Annotated

from pydantic import Field

from stages.contracts.strict import Strict

Fraction = Annotated[float, Field(ge=0, le=1)]


class AugmentSection(Strict):
    """What is drawn anew for every training image in every epoch; 0 switches a part off."""

    shift: Annotated[float, Field(ge=0, le=0.5)]  # of the side: crop from a padded image
    flip: Fraction  # probability of a left-right flip
    rotation: Annotated[float, Field(ge=0, le=180)]  # degrees, at most, either way
    erase: Fraction  # probability of a grey rectangle
    brightness: Annotated[float, Field(ge=0, lt=1)]  # factor 1 ± this
    contrast: Annotated[float, Field(ge=0, lt=1)]  # factor 1 ± this


class AugmentParams(Strict):
    """What augment reads."""

    augment: AugmentSection
