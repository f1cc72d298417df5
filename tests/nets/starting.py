"""The first losses of an untrained network."""

import torch
from torch.nn import functional

from foldwise.nets.freezing import find_heads
from foldwise.nets.network import all_logits, construct
from foldwise.nets.shapes import construct_shapes
from foldwise.nets.start import heads_to_restart

N_IMAGES = 12


def started(network):
    """Return the network as build describes it, and the first losses of all its heads."""
    heads = find_heads(network, construct_shapes(network))
    torch.manual_seed(0)
    restarted = heads_to_restart(construct(network, {}), heads)
    network = network.model_copy(update={"heads": heads, "restarted": restarted})
    torch.manual_seed(0)
    module = construct(network, {})
    images = torch.randn(N_IMAGES, network.channels, network.height, network.width)
    labels = torch.arange(N_IMAGES) % network.n_classes
    with torch.no_grad():
        outputs = all_logits(module(images))
    return network, [functional.cross_entropy(logits, labels).item() for _, logits in outputs]
