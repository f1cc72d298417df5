"""By how much a network shrinks its images before it pools what is left."""

from collections.abc import Iterator
from math import log2

import torch
from torch import Tensor

from stages.build.chains import Run, watch
from stages.build.shapes import BATCH, MISFITS, construct_shapes
from stages.contracts.network import Network

SIDE = 224  # pixels; large enough that borders count for little


def downsampling(network: Network) -> int | None:
    """Return pixels of the image to one of the last maps, rounded to a power of two.

    Seen on images of 224 pixels; a network that does not take them is seen on its own.

    Returns:
        None if the network has no maps of over one pixel.
    """
    own = (network.height, network.width)
    for height, width in dict.fromkeys([(SIDE, SIDE), own]):
        try:
            return downsampling_at(network, height, width)
        except MISFITS:
            continue
    return None


def downsampling_at(network: Network, height: int, width: int) -> int | None:
    """Return the same, seen on images of one size in pixels; raises where they do not fit."""
    run = _run(network.model_copy(update={"height": height, "width": width}))
    sides = list(_map_sides(run))
    return _power_of_two(min(height, width) / min(sides)) if sides else None


def _power_of_two(ratio: float) -> int:
    power: int = 2 ** max(0, round(log2(ratio)))
    return power


@torch.no_grad()
def _run(network: Network) -> Run:
    size = (BATCH, network.channels, network.height, network.width)
    return watch(construct_shapes(network).eval(), torch.empty(size, device="meta"))


def _map_sides(run: Run) -> Iterator[int]:
    """Yield the side of all square maps of over one pixel."""
    for outputs in run.gave.values():
        for output in outputs:
            side = None if output is None else _map_side(output)
            if side is not None and side > 1:
                yield side


def _map_side(output: Tensor) -> int | None:
    """Return the side of square maps, (b, c, h, w) or (b, h, w, c)."""
    if output.ndim != 4 or output.shape[0] != BATCH:  # windows of maps are a batch of their own
        return None
    _, first, second, third = output.shape
    if second == third:
        return second
    return first if first == second else None
