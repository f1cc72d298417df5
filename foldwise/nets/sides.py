"""Which image sizes a network takes, tried on the meta device."""

from bisect import bisect_left
from collections.abc import Callable
from functools import cache

import torch
from torch import nn

from foldwise.files.catalogue import TORCHVISION_MODELS, VIT_PREFIX
from foldwise.files.network import Network
from foldwise.nets.network import MISFITS
from foldwise.nets.shapes import construct_shapes, empty_images

LARGEST = 512  # pixels; the largest side that is tried
# Pixels; common sides of images, and those that networks of a fixed size are made for.
USUAL = (32, 64, 96, 128, 160, 192, 224, 240, 256, 288, 299, 320, 384, 448, LARGEST)


def smallest_side(network: Network) -> int | None:
    """Return the side in pixels of the smallest square that fits, and above which all fit.

    Returns:
        None if the network takes certain sizes only, or no size of up to 512 pixels.
    """
    fits = _trial(network)
    largest = LARGEST
    if network.height == network.width and fits(network.height):
        largest = network.height  # the usual case, and less work than 512 pixels
    elif not fits(largest):
        return None
    # Half of the architectures take a single pixel: try it first.
    side = 1 if fits(1) else 2 + bisect_left(range(2, largest), True, key=fits)
    larger = (side + 1, LARGEST)  # a side that no patch size divides, and a large one
    return side if all(map(fits, larger)) else None


def usual_sides(network: Network) -> list[int]:
    """Return the usual sides in pixels that fit, ascending."""
    return list(filter(_trial(network), USUAL))


def square(network: Network, side: int) -> Network:
    """Return the network for square images of another side in pixels."""
    return network.model_copy(update={"height": side, "width": side})


def _trial(network: Network) -> Callable[[int], bool]:
    """Return a function of a side: whether the network takes such a square in train mode.

    Every network that trains at a size also evaluates at it.
    """
    name = network.settings.get("name")
    # The modules of torchvision do not depend on the image size, but for ViT: one serves for all.
    one_for_all = name in TORCHVISION_MODELS and not name.startswith(VIT_PREFIX)
    module = _without_statistics(network) if one_for_all else None

    @cache
    @torch.no_grad()
    def fits(side: int) -> bool:
        sized = square(network, side)
        try:
            (module or _without_statistics(sized))(empty_images(sized))
        except MISFITS:
            return False
        return True

    return fits


def _without_statistics(network: Network) -> nn.Module:
    """Return the network in train mode with BatchNorm in eval mode.

    BatchNorm takes a batch of two in both modes. In eval mode, layers that inherit from it take
    half the time.
    """
    module = construct_shapes(network)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.eval()
    return module
