"""The keys of params.yaml that advise reads."""

from typing import Annotated

from pydantic import Field

from stages.augment.params import AugmentParams
from stages.build.params import BuildParams
from stages.contracts.strict import Strict
from stages.forecast.params import ForecastParams

Count = Annotated[int, Field(ge=1)]


class AdviseSection(Strict):
    """The thresholds of the rules."""

    budget_minutes: Annotated[float, Field(gt=0)]  # of the whole comparison
    small_side: Count  # pixels; up to it, networks for small images
    large_side: Count  # pixels; from it, networks made for ImageNet
    transfer_side: Count  # pixels; from it, weights from ImageNet for photos in colour
    clean: Annotated[float, Field(ge=0, le=1)]  # share of an image of one value; less: a photo
    little_images: Count  # under it: shallow networks, augmentation, repeats
    little_per_class: Count  # likewise
    much_per_class: Count  # over it: one step deeper
    many_classes: Count  # likewise
    frozen_under: Count  # images; pretrained layers stay frozen but for the head
    thawed_under: Count  # images; the last stage thaws; with more of them, all do
    deep_from: Count  # images, from which a GPU trains ResNet50
    most_multiply_adds: Annotated[float, Field(gt=0)]  # billions an image, trained without a GPU


class AdviseParams(ForecastParams, AugmentParams, BuildParams):
    """What advise reads."""

    advise: AdviseSection
