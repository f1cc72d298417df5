"""The rules by which architectures are proposed, one a function.

They are those of the lesson that Foldwise grew from, where no other source is named; their
thresholds are parameters.
"""

from math import floor, log2

from stages.advise.facts import Facts
from stages.advise.params import AdviseSection

LAST_SIDE = 7  # pixels of the last maps, at which VGG, ResNet and GoogLeNet end
COLOURS = 3  # channels of a photo in colour
BILLION = 1e9
ORIGINAL_VGG = ("vgg16", "vgg19")  # 138 million parameters, most of them in three linear layers
LEAST_FOLDS = 5
LEAST_EPOCHS = 2


def most_halvings(side: int) -> int:
    """Return how often a network may halve a side in pixels: its last maps keep 7 of them.

    As VGG (Simonyan and Zisserman 2015) and ResNet (He et al. 2016) do, five times from 224.
    """
    return max(0, floor(log2(side / LAST_SIDE)))


def is_clean(facts: Facts, limits: AdviseSection) -> bool:
    """Return whether images are drawn, scanned or cut out, and no photos."""
    return facts.background >= limits.clean


def is_like_imagenet(facts: Facts, limits: AdviseSection) -> bool:
    """Return whether networks that know ImageNet's photos know something of these images.

    Kornblith et al. 2019, Do better ImageNet models transfer better?, CVPR, for photos; features
    of 224 pixels say little of much smaller ones.
    """
    is_large = facts.side >= limits.transfer_side
    return is_large and facts.channels == COLOURS and not is_clean(facts, limits)


def is_little(facts: Facts, limits: AdviseSection) -> bool:
    """Return whether data are too few for a deep network trained from scratch."""
    return facts.n_images < limits.little_images or facts.per_class < limits.little_per_class


def is_much(facts: Facts, limits: AdviseSection) -> bool:
    """Return whether data, or what is to be told apart, call for one step deeper."""
    is_rich = facts.n_classes > limits.many_classes or facts.per_class > limits.much_per_class
    return is_rich and not is_little(facts, limits)


def too_heavy(
    architecture: str, multiply_adds: int, facts: Facts, limits: AdviseSection
) -> str | None:
    """Return why a network is not for this machine; None if it is.

    Args:
        architecture: Its name in the catalogue, whatever the variant is called.
        multiply_adds: Of one image, in the part that training runs in each step.
        facts: Of the machine.
        limits: What is too much.
    """
    if facts.has_gpu:
        return None
    if architecture in ORIGINAL_VGG:
        return "the original VGG needs a GPU"
    if multiply_adds > limits.most_multiply_adds * BILLION:
        return (
            f"{multiply_adds / BILLION:.1f} billion multiply-adds an image are over "
            f"{limits.most_multiply_adds:g}, and there is no GPU"
        )
    return None
