"""By how much a network shrinks its images before it pools what is left."""

from collections.abc import Iterator
from math import log2

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from foldwise.files.card import MemoryNeed
from foldwise.files.network import Network
from foldwise.nets.network import loss_of, train_mode
from foldwise.nets.shapes import BATCH, MISFITS, WHOLE, construct_shapes
from foldwise.nets.trace import ModuleTrace, trace_modules

SIDE = 224  # pixels; large enough that borders count for little


def total_stride(network: Network) -> int | None:
    """Return pixels of the image to one of the last maps, rounded to a power of two.

    Seen on images of 224 pixels; a network that does not take them is seen on its own.

    Returns:
        None if the network has no maps of over one pixel.
    """
    own = (network.height, network.width)
    for height, width in dict.fromkeys([(SIDE, SIDE), own]):
        try:
            return total_stride_at(network, height, width)
        except MISFITS:
            continue
    return None


def total_stride_at(network: Network, height: int, width: int) -> int | None:
    """Return the same, seen on images of one size in pixels; raises where they do not fit."""
    run = _run(network.model_copy(update={"height": height, "width": width}))
    sides = list(_map_sides(run))
    return _power_of_two(min(height, width) / min(sides)) if sides else None


def _power_of_two(ratio: float) -> int:
    power: int = 2 ** max(0, round(log2(ratio)))
    return power


@torch.no_grad()
def _run(network: Network) -> ModuleTrace:
    size = (BATCH, network.channels, network.height, network.width)
    return trace_modules(construct_shapes(network).eval(), torch.empty(size, device="meta"))


def _map_sides(run: ModuleTrace) -> Iterator[int]:
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


def count_macs(network: Network, counted: int) -> int:
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


FEW, MORE = 2, 4  # images of two batches; what the second keeps more is an image's part
COPIES = 3  # of what trains, beside itself: its gradient and AdamW's two moments
# Measured with torch 2.14 on a CPU with AVX512, float32, 2 threads: LeNet-5, whose tensors take
# 4 MB, has a peak of 588 MB. Networks of torchvision take no more beside their tensors.
PROCESS = 580_000_000  # bytes: Python, torch, and the code that oneDNN makes
# What the tensors of the formula need in truth: workspaces, gradients of activations, and holes
# between blocks. Measured in these units at 64 images a step: mobilenet_v2 1.28 at 32×32, 1.10 at
# 96×96, 1.15 at 224×224; resnet18 1.35, 1.43, 1.58; vgg11_bn 1.19 at 96×96, 1.44 at 224×224;
# mobilenet_v3_small 1.23 and resnet50 1.33 at 224×224; slim_vgg 1.38 and vgg_resnet 1.58 at 32×32.
# So predictions were between 12 % under and 16 % over the peak.
OVERHEAD = 1.35


def predict_memory(network: Network) -> MemoryNeed:
    """Return what one process needs to train a network on a CPU in float32.

    Counted at the end of training, when most of it has thawed.

    Args:
        network: Frozen and thawed as it will be.
    """
    last = max((one.at_epoch for one in network.thaw), default=1)
    module = train_mode(construct_shapes(network), network, last)
    few, more = (_kept(module, network, n) for n in (FEW, MORE))
    whole = sum(map(_bytes, (*module.parameters(), *module.buffers())))
    trained = sum(_bytes(one) for one in module.parameters() if one.requires_grad)
    return MemoryNeed(
        process_bytes=PROCESS,
        weight_bytes=round(OVERHEAD * (whole + COPIES * trained)),
        image_bytes=round(OVERHEAD * (more - few) / (MORE - FEW)),
    )


def _kept(module: nn.Module, network: Network, n: int) -> int:
    """Return the bytes that n images are kept in until the backward pass, each storage once."""
    images = torch.empty(n, network.channels, network.height, network.width, device="meta")
    labels = torch.empty(n, dtype=torch.int64, device="meta")
    storages = {images.untyped_storage()._cdata: images.untyped_storage()}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storages[tensor.untyped_storage()._cdata] = tensor.untyped_storage()
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        loss_of(module(images), labels)
    return sum(storage.nbytes() for storage in storages.values())


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()
