"""How much memory training a network will take, found out on shapes alone."""

import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks

from stages.build.network import loss_of, train_mode
from stages.build.shapes import construct_shapes
from stages.contracts.card import Memory
from stages.contracts.network import Network

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


def foresee(network: Network) -> Memory:
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
    return Memory(
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
