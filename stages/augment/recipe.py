"""From params.yaml, in shares of the side, to the recipe for images of one size."""

from stages.augment.params import AugmentSection
from stages.contracts.dataset import DatasetInfo
from stages.contracts.recipe import Recipe


def resolve(section: AugmentSection, info: DatasetInfo) -> Recipe:
    """Return the recipe for the images of a data set.

    Args:
        section: What params.yaml asks for.
        info: Of the data set; a shift is a share of its shorter side, rounded to whole pixels.
    """
    return Recipe(
        shift=round(section.shift * min(info.height, info.width)),
        flip=section.flip,
        rotation=section.rotation,
        erase=section.erase,
        brightness=section.brightness,
        contrast=section.contrast,
    )
