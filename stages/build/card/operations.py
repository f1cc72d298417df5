"""How much a network computes."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from stages.build.shapes import WHOLE, construct_shapes
from stages.contracts.network import Network


def multiply_adds(network: Network, counted: int) -> int:
    """Return the multiply-adds of one image in evaluation: the larger of two counts.

    torchinfo's counts a linear layer as if it were applied once, not at every place of a
    sequence, and no attention: 172 million for ViT-B/16, of 17,563. torch's own knows every
    product, but no bias and no BatchNorm, .0005 % of ResNet-18.

    Args:
        network: What to count.
        counted: torchinfo's count.
    """
    # Frozen attention could take a path on which torch does not count.
    module = construct_shapes(network.model_copy(update=WHOLE)).eval()
    images = torch.empty(1, network.channels, network.height, network.width, device="meta")
    with FlopCounterMode(display=False) as counter:
        module(images)
    return max(counted, int(counter.get_total_flops()) // 2)
