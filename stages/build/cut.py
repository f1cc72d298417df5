"""A network cut in two: what never trains and so runs once, and what is trained behind it."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from stages.contracts.network import Cut


@torch.no_grad()
def features(module: nn.Module, cut: Cut, images: Tensor) -> Tensor:
    """Return what the part before the cut makes of images.

    Args:
        module: The whole network, in eval mode.
        cut: Where to cut it.
        images: (b, c, h, w), normalised.

    Returns:
        (b, *shape of a feature).
    """
    if cut.tail:
        return _into(module.get_submodule(cut.tail[0]), module, images)
    for name in cut.prefix:
        images = module.get_submodule(name)(images)
    return images


def behind(module: nn.Module, cut: Cut) -> nn.Module:
    """Return the part behind the cut, which takes features in place of images.

    Its parameters are those of `module`, which is changed.

    Args:
        module: The whole network.
        cut: Where to cut it.
    """
    if cut.tail:
        return nn.Sequential(OrderedDict(head=module.get_submodule(cut.tail[0])))
    for name in cut.prefix:
        module.set_submodule(name, nn.Identity())
    return module


def _into(part: nn.Module, module: nn.Module, images: Tensor) -> Tensor:
    """Return what goes into a part while the whole network runs."""
    seen: list[Tensor] = []
    handle = part.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    try:
        module(images)
    finally:
        handle.remove()
    return seen[0]
